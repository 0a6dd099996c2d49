"""An agent program that is not claude, as a package outside cw would bring it: no flag, no word and
no line of its output is claude's. The acceptance tests install it; see CONTRIBUTING.md.
"""
