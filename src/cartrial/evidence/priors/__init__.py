"""What may be borrowed of published trials for the next one, and what is it worth?"""
