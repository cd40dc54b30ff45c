"""Camera-model attribution classifiers, one file a family."""
