"""The real engine on the real store between two simulated systems; clock, chance and people are the simulation's.

One thread, one step at a time: a seed gives the same story, the same calls and the same journal each time. What came
of a story is judged by an oracle that knows who entered what where and when, and calls nothing of Datong that maps,
merges or matches.

    python -m tests.simulation --seeds 10000 --jobs 2     many stories
    python -m tests.simulation --weeks --jobs 2           a week for each fault alone, and for every two together
    python -m tests.simulation --seed 17 --steps 200 -v   one of them, told
"""
