"""Which dose is next, and which is recommended?"""
