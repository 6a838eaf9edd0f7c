import os, threading

rounds, questions = int(sys.argv[5]), sys.argv[6].split("\n")


def listen(own):
    for _ in range(rounds):
        for question in own:
            sys.stdout.buffer.write(f"ask\t{question.split(' ', 1)[0]}\n".encode())
            sys.stdout.buffer.flush()
            ask(question)


for worker in range(workers):
    threading.Thread(target=listen, args=(questions[worker::workers],), daemon=True).start()
# Whoever listens has gone.
sys.stdin.buffer.read()
os._exit(0)
