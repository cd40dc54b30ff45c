"""Training loops: patches, classifiers, the residual estimator."""
