# Asks one HTTP question after the other, a few at the same time, and writes a line about each. A shell reads it from
# standard input, after these settings:
#   TIMEOUT  seconds for one question, a whole number
#   WORKERS  questions under way at the same time
#   PAUSE    seconds that a worker rests after each question, a decimal
#   TOOL     the tool to use; empty for the best that there is
#   DOMAIN   the cluster's domain; empty to read it from /etc/resolv.conf
#   ASK      the questions, one a line: number, name without the cluster's domain, port, path
#   PYTHON   row.py
# Lines out, fields apart by tabs:
#   tool     name of the tool, the cluster's domain
#   answer   number, addresses of the name, microseconds in all, exit code, what the tool wrote
# A tab, a line end and a carriage return in what the tool wrote are \003, \002 and \001. What is not known is "-".

best_tool() {
  for tool in python3 curl nc bash; do
    if command -v "$tool" >/dev/null 2>&1; then
      echo "$tool"
      return
    fi
  done
  # The one of busybox knows no time-out and hides what a server says, but where it is, nc is.
  if wget --version >/dev/null 2>&1; then echo wget; else echo none; fi
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

# Nanoseconds since some time, or nothing where `date` has no finer unit than a second.
now() {
  case $FINE in yes) date +%s%N ;; esac
}

# Ends what takes too long, where the system can: a second later than the tool itself, which may say more.
limited() {
  if command -v timeout >/dev/null 2>&1; then timeout $((TIMEOUT + 1)) "$@"; else "$@"; fi
}

addresses() {
  if command -v getent >/dev/null 2>&1; then
    limited getent ahosts "$1" | while read -r address rest; do echo "$address"; done | sort -u | tr '\n' ','
  elif command -v nslookup >/dev/null 2>&1; then
    limited nslookup "$1" 2>/dev/null | {
      found=no
      while read -r key value rest; do
        case $key in
        Name:) found=yes ;;
        Address* ) [ $found = yes ] && case $value in [0-9]*:) echo "$rest" ;; *) echo "$value" ;; esac ;;
        esac
      done
    } | sort -u | tr '\n' ','
  else
    printf -- -
  fi
}

# host port path: writes the answer as it came, head and body, and what the tool complained about.
ask() {
  case $TOOL in
  curl)
    curl -sS -i -g --noproxy '*' -A shardctl -m "$TIMEOUT" \
      -w "${MARK}curl %{time_namelookup} %{time_connect} %{time_starttransfer} %{time_total} %{remote_ip}$MARK" \
      "http://$1:$2$3"
    ;;
  nc)
    printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: shardctl\r\nConnection: close\r\n\r\n' "$3" "$1" "$2" |
      limited nc -w "$TIMEOUT" "$1" "$2"
    ;;
  bash)
    limited bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 7
      printf "\004connected\004"
      printf "GET %s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: shardctl\r\nConnection: close\r\n\r\n" "$2" "$0" "$1" >&3
      cat <&3' "$1" "$2" "$3"
    ;;
  wget)
    limited wget -nv -S -O - -t 1 -T "$TIMEOUT" --no-proxy "http://$1:$2$3"
    ;;
  none)
    echo "no tool to ask with"
    return 127
    ;;
  esac
}

answer() {
  found=$(addresses "$2")
  start=$(now)
  said=$({ { ask "$2" "$3" "$4" 2>&1; printf '%sexit %s%s' "$MARK" "$?" "$MARK" >&4; } | head -c 4096; } 4>&1 |
    tr '\r\n\t' '\001\002\003' | tr -d '\000')
  end=$(now)
  took=-
  [ -n "$end" ] && took=$(((end - start) / 1000))
  printf 'answer\t%s\t%s\t%s\t%s\n' "$1" "$found" "$took" "$said"
}

# The part of the questions that one worker asks.
work() {
  turn=0
  echo "$ASK" | while read -r number name port path; do
    turn=$(((turn + 1) % WORKERS))
    if [ "$turn" = "$1" ]; then
      answer "$number" "$name.svc.$DOMAIN" "$port" "$path"
      [ "$PAUSE" = 0 ] || sleep "$PAUSE"
    fi
  done
}

main() {
  [ -n "$DOMAIN" ] || DOMAIN=$(domain_of_search)
  [ -n "$TOOL" ] || TOOL=$(best_tool)
  MARK=$(printf '\004')
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
