"""What is already known beside this study?"""
