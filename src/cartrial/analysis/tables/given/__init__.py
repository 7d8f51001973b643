"""What was given, from leukapheresis to the therapy after the product, to how many and when?"""
