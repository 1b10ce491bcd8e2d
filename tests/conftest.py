from hypothesis import settings

# The same examples on every run, and no deadline: a loaded machine is no failure.
settings.register_profile("segue", deadline=None, derandomize=True, database=None)
settings.load_profile("segue")
