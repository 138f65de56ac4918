"""Systems of cases: each is a `bot.ports.CaseProvider`."""
