"""How work survives: intake, merge, plan, deliver, and what happens when a call fails.

Pure modules decide (`flow`, `merge`, `items`, `plan`, `outcome`, `backoff`, `guard`); thin ones act (`reading`,
`intake`, `matchmaking`, `deliver`, `cycle`). Clock, randomness and store are parameters.
"""
