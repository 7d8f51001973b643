"""How many patients does a time to event need?"""
