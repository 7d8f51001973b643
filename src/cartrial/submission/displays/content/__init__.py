"""Which displays are there, and what stands in each?"""
