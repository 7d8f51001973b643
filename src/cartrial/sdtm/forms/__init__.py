"""How does a file become a table, and back?"""
