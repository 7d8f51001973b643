"""How did the tables become what they are?"""
