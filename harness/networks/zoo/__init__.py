"""The networks that are trained here, one file each, on data sets that scikit-learn carries."""
