"""Which domains, words, units and dates are there?"""
