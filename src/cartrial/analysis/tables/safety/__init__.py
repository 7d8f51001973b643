"""Which harm was there, in how many, when, how bad, and what was given for it? And how closely was the protocol kept?"""
