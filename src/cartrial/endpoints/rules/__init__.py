"""When is a rule met? The numbers of a study file, and the kernels that read them."""
