"""What a publish loads late and what it reads of the shipped rules, loaded and read: processes that are forked from one
that has imported this begin at once.
"""

from outrider.gateway.governance.examining import read_rules
from outrider.gateway.governance.governance import UNGOVERNED

read_rules(UNGOVERNED)
