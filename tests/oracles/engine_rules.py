"""The rules of serving engines from their formulas: every score is taken afresh from a log."""

import math
from fractions import Fraction

import numpy as np

from tests.oracles.policies import splitmix64


def sent_in_order(view, choose, order=None):
    """Ask for the worker of each admitted request in turn, given what was sent before it."""
    answer, log = np.full(view.pool.size, -1), []
    for i in range(view.admissions) if order is None else order:
        left = view.free.tolist()
        for _, g, _ in log:
            left[g] -= 1
        number = i if view.request is None else int(view.request[i])
        g = choose([g for g, room in enumerate(left) if room], number, int(view.pool[i]), log)
        log.append((number, g, int(view.pool[i])))
        answer[i] = g
    return answer, log


def hashed(workers, seed, number):
    bits = splitmix64(splitmix64(seed % 2**64) ^ number)
    return workers[(bits >> 32) * len(workers) // 2**32]


class Snapshots:
    """Front ends: the last snapshot, and a log of what was sent since, by front end."""

    def __init__(self, every=1, every_ms=0, clients=1):
        self.every, self.every_ms, self.clients = every, every_ms, clients
        self.snapshot, self.log, self.turns = None, [], {}

    def admit(self, view):
        if self.snapshot is None or (
            view.step - self.snapshot.step >= self.every
            and 1000 * (view.now_s - self.snapshot.now_s) >= self.every_ms
        ):
            self.snapshot, self.log = view, []
        G = view.free.size

        def choose(workers, number, size, log):
            client = number % self.clients
            own = self.log + log
            own = [entry for entry in own if entry[0] % self.clients == client]
            turn = self.turns.get(client, 0)
            self.turns[client] = turn + 1
            start = self.first(client, G) + turn
            return min(
                workers,
                key=lambda g: (self.score(view, client, g, own, log), self.tie(g, start, G)),
            )

        answer, log = sent_in_order(view, choose)
        self.log = self.log + log
        return answer

    def first(self, client, G):
        return G * client // self.clients

    def tie(self, g, start, G):
        return (g - start) % G

    def running(self, g):
        return int(self.snapshot.slots - self.snapshot.free[g]) - self.queued(g)

    def queued(self, g):
        return 0 if self.snapshot.queued is None else int(self.snapshot.queued[g])

    def tokens(self, g):
        queued = 0 if self.snapshot.queued_tokens is None else int(self.snapshot.queued_tokens[g])
        return queued, int(self.snapshot.loads[g]) - queued


class VllmDPRotating(Snapshots):
    def __init__(self, turn=0, **options):
        super().__init__(**options)
        self.turn = turn

    def first(self, client, G):
        return self.turn + super().first(client, G)

    def score(self, view, client, g, own, log):
        sent = self.clients * sum(to == g for _, to, _ in own)
        return 4 * (self.queued(g) + sent) + self.running(g)


class VllmInFlight(Snapshots):
    def __init__(self, every_ms=100, **options):
        super().__init__(every_ms=every_ms, **options)

    def score(self, view, client, g, own, log):
        flying = zip(view.in_flight.request.tolist(), view.in_flight.worker.tolist(), strict=True)
        mine = sum(i % self.clients == client and to == g for i, to in flying)
        mine += sum(i % self.clients == client and to == g for i, to, _ in log)
        waiting = self.queued(g) + self.clients * sum(to == g for _, to, _ in own)
        score = Fraction(max(self.clients * mine, waiting + self.running(g)))
        if self.snapshot.budget is not None:
            use = Fraction(self.tokens(g)[1], int(self.snapshot.budget[g]))
            score += waiting * 6 * max(Fraction(0), use - Fraction(1, 2))
        return score


class VllmTokens(Snapshots):
    def tie(self, g, start, G):
        return g

    def score(self, view, client, g, own, log):
        waiting, running = self.tokens(g)
        return 4 * (waiting + self.clients * sum(s for _, to, s in own if to == g)) + running


class SGLangTotalRequests(Snapshots):
    def __init__(self, every_ms=20, **options):
        super().__init__(every_ms=every_ms, **options)

    def tie(self, g, start, G):
        return g

    def score(self, view, client, g, own, log):
        return int(self.snapshot.slots - self.snapshot.free[g]) + sum(to == g for _, to, _ in own)


class SGLangTotalTokens(SGLangTotalRequests):
    def score(self, view, client, g, own, log):
        tokens = int(self.snapshot.loads[g]) + sum(s for _, to, s in own if to == g)
        return tokens, super().score(view, client, g, own, log)


class InFlightRule:
    """Routers with counts of their own: requests in flight as tuples, those just sent with them."""

    def __init__(self):
        self.turn, self.seed = 0, 0

    def admit(self, view):
        self.view, G = view, view.free.size
        f = view.in_flight
        columns = (f.worker, f.size, f.age, f.queued)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))

        def choose(workers, number, size, log):
            now = rows + [(g, s, -1, True) for _, g, s in log]
            keys = {g: self.key([row for row in now if row[0] == g]) for g in workers}
            best = [g for g in workers if keys[g] == min(keys.values())]
            return self.among(best, number, G)

        return sent_in_order(view, choose)[0]

    def among(self, best, number, G):
        return best[0]


class AtomLeastRequests(InFlightRule):
    def key(self, rows):
        return len(rows), sum(size for _, size, _, _ in rows)

    def among(self, best, number, G):
        self.turn += 1
        return min(best, key=lambda g: (g - self.turn + 1) % G)


class AtomLeastTokens(AtomLeastRequests):
    def key(self, rows):
        return sum(size + 512 for _, size, _, _ in rows)


class LlmdTokenLoad(InFlightRule):
    def key(self, rows):
        # The best score is the largest.
        tokens = sum(size + math.floor(1.5 * size + 0.5) for _, size, _, _ in rows)
        return -(1 - min(Fraction(1), Fraction(tokens, 4_194_304)))

    def among(self, best, number, G):
        return hashed(best, self.seed, number)


class TpuInference(InFlightRule):
    def key(self, rows):
        most = 10**9
        left = [most - age for _, _, age, queued in rows if not queued]
        return (
            sum(size for _, size, _, queued in rows if queued),
            len(rows),
            min(left, default=2 * most),
        )


class VllmAscendProxy(InFlightRule):
    def key(self, rows):
        return sum(size for _, size, _, _ in rows)


class TensorRTLLMADP:
    def admit(self, view):
        G, f = view.free.size, view.in_flight
        running = (view.slots - view.free).tolist()
        cap = max(math.ceil(Fraction(sum(running) + view.admissions, G)), *running)
        order = sorted(range(view.admissions), key=lambda i: (-view.pool[i], i))

        def choose(workers, number, size, log):
            def key(g):
                now = [s for to, s in zip(f.worker, f.size, strict=True) if to == g]
                sent = [s for _, to, s in log if to == g]
                return int(sum(now)) + sum(sent), running[g] + len(sent), g

            return min((g for g in workers if key(g)[1] < cap), key=key)

        return sent_in_order(view, choose, order)[0]


class TensorRTLLMKVAware:
    def __init__(self):
        self.seed, self.past = 0, []

    def admit(self, view):
        G, f = view.free.size, view.in_flight
        group = {}
        if view.group is not None:
            names = view.request.tolist()
            group = dict(zip(names, view.group.tolist(), strict=True))
        running = (view.slots - view.free).tolist()
        mean = math.ceil(Fraction(sum(running) + view.admissions, G))
        cap = min(max(2 * mean, *running), view.slots)
        order = list(range(view.admissions))
        if view.group is not None:
            order.sort(key=lambda i: (view.group[i], -view.pool[i], i))
        missed = {number: tokens for number, _, _, _, tokens in self.past}
        held = [
            (g, missed.get(number, size))
            for number, g, size in zip(
                f.request.tolist(), f.worker.tolist(), f.size.tolist(), strict=True
            )
        ]

        def choose(workers, number, size, log):
            able = [g for g in range(G) if running[g] + sum(to == g for _, to, _ in log) < cap]
            tokens = [sum(t for to, t in held if to == g) for g in range(G)]
            match = dict.fromkeys(able, 0)
            if view.group is not None:
                for _, to, before, key, _ in self.past:
                    if to in match and key == group[number]:
                        match[to] = max(match[to], min(before, size - 1))
            used = (
                match
                if Fraction(max(match.values()), size) > Fraction(0.1)
                else dict.fromkeys(able, 0)
            )
            whole = max(sum(tokens[g] for g in able), size)
            scores = {
                g: (size - used[g] + Fraction(tokens[g], whole) * size, tokens[g]) for g in able
            }
            best = hashed([g for g in able if scores[g] == min(scores.values())], self.seed, number)
            held.append((best, size - match[best]))
            self.past.append((number, best, size, group.get(number), size - match[best]))
            return best

        return sent_in_order(view, choose, order)[0]


PLAIN = {
    "vllm_dp_rotating": VllmDPRotating,
    "vllm_in_flight": VllmInFlight,
    "vllm_tokens": VllmTokens,
    "sglang_total_requests": SGLangTotalRequests,
    "sglang_total_tokens": SGLangTotalTokens,
    "atom_least_requests": AtomLeastRequests,
    "atom_least_tokens": AtomLeastTokens,
    "llmd_token_load": LlmdTokenLoad,
    "tpu_inference": TpuInference,
    "vllm_ascend_proxy": VllmAscendProxy,
    "trtllm_adp": TensorRTLLMADP,
    "trtllm_kv_aware": TensorRTLLMKVAware,
}
