"""What happened after the infusion, and when?"""
