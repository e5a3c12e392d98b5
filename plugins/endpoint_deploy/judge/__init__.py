"""The judge of progressive delivery: a candidate's measurements against the champion's.

Pure: measurements and what is tolerated come in as plain data, a judgement with its numbers goes out.
docs/judge.md says what is claimed, for how many samples, and what is not.

- core.judging, since a spec names it: what is measured, what is tolerated, how many samples to plan for
- measurements: what was measured
- verdicts: what came of it
- judge: one look at the measurements so far
- way_on: what follows from a judgement
"""
