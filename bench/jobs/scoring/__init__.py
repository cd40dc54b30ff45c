"""One image on its way: asked for, anonymised, changed by a condition, classified, written."""
