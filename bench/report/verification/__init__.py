"""A run folder against itself: are its rows whole, and do its tables follow from them?"""
