"""What is the estimate of any groups, and its uncertainty? Estimators over many trials at once; none knows a study."""
