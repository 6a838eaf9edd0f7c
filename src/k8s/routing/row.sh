# Asks one HTTP question after the other, a few at the same time, and writes a line about each. A shell reads it from
# standard input, after these settings:
#   TIMEOUT  seconds for one question, a whole number
#   WORKERS  questions under way at the same time
#   PAUSE    seconds that a worker rests after each question, a decimal
#   TOOL     the tool to use; empty for the best that there is
#   DOMAIN   the cluster's domain; empty to read it from /etc/resolv.conf
#   ASK      the questions, one a line: number, name, port, path; @ at the end of a name stands for DOMAIN
#   PYTHON   row.py
# Lines out, fields apart by tabs:
#   tool     name of the tool, the cluster's domain
#   answer   number, addresses of the name, microseconds in all, exit code, what the tool wrote
# A tab, a line end and a carriage return in what the tool wrote are \003, \002 and \001. What is not known is "-".

best_tool() {
  for tool in python3 curl bash wget nc; do
    if command -v "$tool" >/dev/null 2>&1; then
      echo "$tool"
      return
    fi
  done
  echo none
}

domain_of_search() {
  while read -r key domains; do
    if [ "$key" = search ]; then
      for one in $domains; do
        case $one in svc.*) echo "${one#svc.}" && return ;; esac
      done
    fi
  done </etc/resolv.conf
  echo cluster.local
}

# Ends what takes too long, a second later than the tool itself, which may say more. Not with `timeout`: that of busybox
# leaves a process behind which keeps the output open, and whoever reads it waits for up to a second more.
limited() {
  "$@" &
  asked=$!
  (
    trap 'kill $! && exit' TERM
    sleep $((TIMEOUT + 1)) &
    wait $!
    kill $asked
  ) >/dev/null 2>&1 &
  watching=$!
  wait $asked
  code=$?
  kill $watching
  return $code
}

# The addresses of a name, each once, commas between. Few processes: a shard's CPU is the shard's.
addresses() {
  if command -v getent >/dev/null 2>&1; then
    limited getent ahosts "$1" | each_once_of_getent
  elif command -v nslookup >/dev/null 2>&1; then
    limited nslookup "$1" 2>/dev/null | each_once_of_nslookup
  else
    printf -- -
  fi
}

each_once_of_getent() {
  all=,
  while read -r address rest; do
    case $all in *",$address,"*) ;; *) all=$all$address, ;; esac
  done
  printf %s "${all#,}"
}

# The name server's own address comes first; those of the name come after it.
each_once_of_nslookup() {
  all=, found=no
  while read -r key value rest; do
    case $key in
    Name:) found=yes ;;
    Address*)
      # "Address: 10.0.0.7", and "Address 1: 10.0.0.7 NAME" of older ones.
      case $value in [0-9]*:) value=${rest%% *} ;; esac
      case $found$all in no* | *",$value,"*) ;; *) all=$all$value, ;; esac
      ;;
    esac
  done
  printf %s "${all#,}"
}

# host port path: writes the answer as it came, head and body, and what the tool complained about.
ask() {
  case $TOOL in
  curl)
    curl -sS -i -g --noproxy '*' -A shardctl -m "$TIMEOUT" \
      -w "${MARK}curl %{time_namelookup} %{time_connect} %{time_starttransfer} %{time_total} %{remote_ip}$MARK" \
      "http://$1:$2$3"
    ;;
  bash)
    limited bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 7
      printf "\004connected\004"
      printf "GET %s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: shardctl\r\nConnection: close\r\n\r\n" "$2" "$0" "$1" >&3
      cat <&3' "$1" "$2" "$3"
    ;;
  wget)
    if [ "$GNU_WGET" = yes ]; then
      limited wget -nv -S -O - -t 1 -T "$TIMEOUT" --no-proxy "http://$1:$2$3"
    else
      # That of busybox: its own time-out crashes in some builds, so it is ended, and cannot say how far it came.
      limited wget -q -S -Y off -O - "http://$1:$2$3"
      code=$?
      if [ "$code" -ge 124 ]; then
        # What keeps nc until it is ended, too, is a connection.
        limited nc -w 1 "$1" "$2" </dev/null >/dev/null 2>&1
        case $? in 0 | 124 | 137 | 143) printf '%sconnected%s' "$MARK" "$MARK" ;; esac
      fi
      return "$code"
    fi
    ;;
  nc)
    # The last choice: some end the sending side once they have sent, and some servers take that for good-bye.
    printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: shardctl\r\nConnection: close\r\n\r\n' "$3" "$1" "$2" |
      limited nc -w "$TIMEOUT" "$1" "$2"
    ;;
  none)
    echo "no tool to ask with"
    return 127
    ;;
  esac
}

answer() {
  found=$(addresses "$2")
  took=-
  [ $FINE = yes ] && start=$(date +%s%N)
  said=$({ { ask "$2" "$3" "$4" 2>&1; printf '%sexit %s%s' "$MARK" "$?" "$MARK" >&4; } | head -c 4096; } 4>&1 |
    tr '\r\n\t\000' '\001\002\003\001')
  [ $FINE = yes ] && took=$((($(date +%s%N) - start) / 1000))
  printf 'answer\t%s\t%s\t%s\t%s\n' "$1" "$found" "$took" "$said"
}

# The part of the questions that one worker asks.
work() {
  turn=0
  echo "$ASK" | while read -r number name port path; do
    turn=$(((turn + 1) % WORKERS))
    if [ "$turn" = "$1" ]; then
      case $name in *@) name=${name%@}$DOMAIN ;; esac
      answer "$number" "$name" "$port" "$path"
      [ "$PAUSE" = 0 ] || sleep "$PAUSE"
    fi
  done
}

main() {
  [ -n "$DOMAIN" ] || DOMAIN=$(domain_of_search)
  [ -n "$TOOL" ] || TOOL=$(best_tool)
  MARK=$(printf '\004')
  if wget --version >/dev/null 2>&1; then GNU_WGET=yes; else GNU_WGET=no; fi
  # Not every `date` has a finer unit than a second.
  case $(date +%N 2>/dev/null) in '' | *[!0-9]*) FINE=no ;; *) FINE=yes ;; esac
  printf 'tool\t%s\t%s\n' "$TOOL" "$DOMAIN"
  if [ "$TOOL" = python3 ]; then
    echo "$ASK" | python3 -c "$PYTHON" "$TIMEOUT" "$WORKERS" "$PAUSE" "$DOMAIN"
    return
  fi
  worker=0
  while [ "$worker" -lt "$WORKERS" ]; do
    work "$worker" &
    worker=$((worker + 1))
  done
  wait
}

main </dev/null
exit
