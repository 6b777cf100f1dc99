"""Answer requests one after the other, against the bare model reading and writing the same JSON."""

from __future__ import annotations

from benchmark.measuring import Row, Time, median
from benchmark.servers import REQUESTS, ask, connect, envkit_server, percentiles, serving
from benchmark.workbench import Workbench

PREDICT_OFTEN = """
import json, pickle, sys, time
import pandas
with open(sys.argv[1] + "/model.pkl", "rb") as stream:
    model = pickle.load(stream)
with open(sys.argv[1] + "/serving_input_example.json") as stream:
    text = stream.read()
def ask():
    split = json.loads(text)["dataframe_split"]
    frame = pandas.DataFrame(split["data"], columns=split["columns"])
    return json.dumps({"predictions": model.predict(frame).tolist()})
ask()
started, cpu = time.perf_counter(), time.process_time()
for _ in range(int(sys.argv[2])):
    ask()
print(time.perf_counter() - started, time.process_time() - cpu)
"""


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    python = bench.rebuilt_python
    body = bench.request.read_bytes()
    server = envkit_server(bench)
    latencies: list[float] = []

    def mine() -> Time:
        connection = connect(server.port)
        of_requests = [ask(connection, body) for _ in range(REQUESTS)]
        latencies.extend(of_requests)
        return Time(sum(of_requests), 0.0)

    def theirs() -> Time:
        output = bench.run(python, "-c", PREDICT_OFTEN, bench.captured, str(REQUESTS))
        wall, cpu = output.split()
        return Time(float(wall), float(cpu))

    with serving(bench, server):
        left, right = bench.side_by_side(mine, theirs)
    allowed = median(right, "wall") + 0.003 * REQUESTS
    bare = median(right, "wall") / REQUESTS * 1000
    return Row(
        name=f"serve, one client, {REQUESTS} requests : bare model.predict",
        target=f"wall <= bare + 3 ms a request = {allowed:.2f} s",
        met=median(left, "wall") <= allowed,
        envkit=left,
        other=right,
        note=f"ms p50/p99 {percentiles(latencies)} : {bare:.1f}",
    )
