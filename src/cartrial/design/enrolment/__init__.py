"""How long does enrolment take, and where do the patients come from?"""
