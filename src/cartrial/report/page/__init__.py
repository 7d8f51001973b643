"""What is any page made of?"""
