import os, threading

rounds, questions, offsets = int(sys.argv[5]), sys.argv[6].split("\n"), sys.argv[7].split(" ")


def listen(own, offset):
    time.sleep(float(offset))
    for _ in range(rounds):
        for question in own:
            sys.stdout.buffer.write(f"ask\t{question.split(' ', 1)[0]}\n".encode())
            sys.stdout.buffer.flush()
            ask(question)


for worker in range(workers):
    threading.Thread(target=listen, args=(questions[worker::workers], offsets[worker]), daemon=True).start()
# Whoever listens has gone.
sys.stdin.buffer.read()
os._exit(0)
