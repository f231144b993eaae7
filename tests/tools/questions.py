"""Many questions about one thing, which is made once. Each is a subtest, so that no failing one hides another."""


class Questions(list):
    """A decorator that collects questions: functions that get the thing as their arguments, and assert."""

    def __call__(self, question):
        self.append(question)
        return question

    def ask(self, subtests, *about):
        for question in self:
            with subtests.test(question.__name__):
                question(*about)
