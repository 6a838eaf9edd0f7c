import concurrent.futures, socket, sys, time

timeout, workers, pause, domain = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) / 1000, sys.argv[4]


def micros(start):
    return int((time.monotonic() - start) * 1e6)


def ask(question):
    number, name, port, path = question.split(" ", 3)
    host = name[:-1] + domain if name.endswith("@") else name
    in_url = f"[{host}]" if ":" in host else host
    found, stage, said = [], "resolve", b""
    times = ["-", "-", "-"]
    start = time.monotonic()
    try:
        for one in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
            if one[4][0] not in found:
                found.append(one[4][0])
        times[0] = micros(start)
        stage = "connect"
        with socket.create_connection((found[0], int(port)), timeout) as line:
            times[1] = micros(start)
            stage = "answer"
            line.sendall(
                f"GET {path} HTTP/1.0\r\nHost: {in_url}:{port}\r\nUser-Agent: shardctl\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            while len(said) < 4096:
                line.settimeout(max(0.001, timeout - (time.monotonic() - start)))
                part = line.recv(4096)
                if not part:
                    break
                if not said:
                    times[2] = micros(start)
                said += part
    except OSError as error:
        if not said:
            said = f"{stage}: {error}".encode()
    said = said[:4096].replace(b"\0", b"").translate(bytes.maketrans(b"\r\n\t", b"\1\2\3"))
    peer = found[0] if stage == "answer" else "-"
    total = micros(start)
    addresses = ",".join(found)
    head = f"answer\t{number}\t{addresses}\t{total}\t\4micros {times[0]} {times[1]} {times[2]} {total} {peer}\4"
    sys.stdout.buffer.write(head.encode() + said + b"\n")
    sys.stdout.buffer.flush()
    time.sleep(max(0, start + pause - time.monotonic()))


with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    list(pool.map(ask, [line for line in sys.stdin.read().split("\n") if line]))
