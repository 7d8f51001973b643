"""How does a study compare with others that are no part of it, once its patients are made like them?"""
