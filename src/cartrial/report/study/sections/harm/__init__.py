"""How is each part of safety shown: syndromes, events, blood, deaths, conduct?"""
