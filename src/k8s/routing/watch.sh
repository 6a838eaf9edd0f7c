# Asks again and again, instead of once. A shell reads it after the settings and all but the last words of row.sh, and after
# these:
#   OFFSETS  seconds after which each worker begins, decimals, spaces between
#   ROUNDS   how often each question is asked: whoever listens may have gone without a word
#   PYTHON   row.py without its last words, and watch.py
# Lines out, beside those of row.sh:
#   ask      number of a question that is asked now
# It ends when its standard input does, and leaves no process behind, however long it was at work: the first process of a
# container may be one that never collects those that others leave.

# number name port path
question() {
  case $2 in *@) host=${2%@}$DOMAIN ;; *) host=$2 ;; esac
  printf 'ask\t%s\n' "$1"
  hear "$host" "$3" "$4"
  printf 'answer\t%s\t-\t-\t%s\n' "$1" "$said"
}

# The questions of one worker, from a moment of its own on.
listen() {
  over=
  trap 'over=yes' TERM
  sleep "$2"
  while [ "$ROUNDS" -gt 0 ]; do
    ROUNDS=$((ROUNDS - 1))
    turn=0
    IFS=$LINE_END
    for line in $ASK; do
      IFS=' '
      turn=$(((turn + 1) % WORKERS))
      if [ "$turn" = "$1" ]; then
        question $line || return
        [ -z "$over" ] || return
        rest "$PAUSE"
        [ -z "$over" ] || return
      fi
    done
  done
}

watch() {
  # A path may have the signs of a pattern.
  set -f
  find_domain
  [ -n "$TOOL" ] || TOOL=$(best_tool)
  MARK=$(printf '\004') CR=$(printf '\r')
  LINE_END='
'
  if wget --version >/dev/null 2>&1; then GNU_WGET=yes; else GNU_WGET=no; fi
  printf 'tool\t%s\t%s\n' "$TOOL" "$DOMAIN"
  if [ "$TOOL" = python3 ]; then
    exec python3 -c "$PYTHON" "$TIMEOUT" "$WORKERS" "$PAUSE" "$DOMAIN" "$ROUNDS" "$ASK" "$OFFSETS"
  fi
  workers= worker=0
  for offset in $OFFSETS; do
    listen "$worker" "$offset" </dev/null &
    workers="$workers $!"
    worker=$((worker + 1))
  done
  while read -r word; do :; done
  kill $workers 2>/dev/null
  wait
}

watch
exit
