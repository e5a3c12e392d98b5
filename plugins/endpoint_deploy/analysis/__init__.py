"""The analysis of a release: champion and candidate are measured, judged, and every look is kept.

- look: what a look is of, and what came of it
- take_look: one look
- looks: where looks are kept, and the measurements they rest on
- requests, captured, replay, answers: requests of our own, to both sides alike
- traffic: all requests, as CloudWatch has them
- expected: predictions that do not meet expectations
- measure: what was measured, as the judge takes it
"""
