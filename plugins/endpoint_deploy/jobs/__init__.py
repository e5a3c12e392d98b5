"""Programs that run inside SageMaker's containers.

Each file is shipped as it stands: written for Python 3.8, with nothing but the standard library and what a
model's image has, and imported by nothing here.
"""
