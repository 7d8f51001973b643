"""How is the design of a study shown?"""
