# Asks one HTTP question after the other, a few at the same time, and writes a line about each. A shell reads it from
# standard input, after these settings:
#   TIMEOUT  seconds for one question, a whole number
#   WORKERS  questions under way at the same time
#   PAUSE    milliseconds from one question of a worker to its next, or more
#   TOOL     the tool to use; empty for the best that there is
#   DOMAIN   the cluster's domain; empty to find it
#   ASK      the questions, one a line: number, name, port, path; @ at the end of a name stands for DOMAIN
#   OWN      number of the question about the asker itself, where there is one
#   PYTHON   row.py
# Lines out, fields apart by tabs:
#   tool     name of the tool, the cluster's domain
#   resolver where that is from: given, search, reverse, assumed; search list, ndots and name servers of /etc/resolv.conf
#   answer   number, addresses of the name, microseconds in all, exit code, what the tool wrote
# A tab, a line end and a carriage return in what the tool wrote are \003, \002 and \001. What is not known is "-".
# Every process that it starts it waits for: what is left to process 1 of a container may stay there for ever.

best_tool() {
  for tool in python3 curl bash wget nc; do
    if command -v "$tool" >/dev/null 2>&1; then
      echo "$tool"
      return
    fi
  done
  echo none
}

# Sets SEARCH, NDOTS and SERVERS as /etc/resolv.conf says, and DOMAIN, if nobody gave it, with where it is FROM.
find_domain() {
  SEARCH='' NDOTS=1 SERVERS=''
  while read -r key values || [ -n "$key" ]; do
    set -- $values
    case $key in
    nameserver) SERVERS="$SERVERS${SERVERS:+ }$1" ;;
    # The last one holds.
    search | domain) SEARCH="$*" ;;
    options) for one in "$@"; do case $one in ndots:*) NDOTS=${one#ndots:} ;; esac; done ;;
    esac
    key=''
  done </etc/resolv.conf
  FROM=given
  [ -z "$DOMAIN" ] || return 0
  FROM=search
  for one in $SEARCH; do
    case ${one%.} in
    svc.?*) DOMAIN=${one#svc.} ;;
    *.svc.?*) DOMAIN=${one#*.svc.} ;;
    *) continue ;;
    esac
    DOMAIN=${DOMAIN%.}
    return
  done
  # The name of the API server's address, which every container is told: no pod's own settings are needed for that.
  FROM=reverse
  for one in $(name_of "${KUBERNETES_SERVICE_HOST:-0.0.0.0}"); do
    case ${one%.} in kubernetes.default.svc.?*)
      DOMAIN=${one#kubernetes.default.svc.} DOMAIN=${DOMAIN%.}
      return
      ;;
    esac
  done
  FROM=assumed DOMAIN=cluster.local
}

# What is said of an address.
name_of() {
  if command -v getent >/dev/null 2>&1; then
    limited getent hosts "$1"
  elif command -v nslookup >/dev/null 2>&1; then
    limited nslookup "$1" 2>/dev/null
  fi
}

# Ends what takes too long, a second later than the tool itself, which may say more. Not with `timeout`: that of busybox
# leaves a process behind, and whoever reads the output waits for it. It collects what it began, even where a TERM comes
# in between. Its names are its own: whoever calls it has some, too. What it runs has no input but what it gives itself.
limited() {
  "$@" &
  limited_job=$!
  (
    napping= over=
    # Not with TERM: a shell loses it in a process that it has just made.
    trap 'over=yes; [ -z "$napping" ] || kill -9 "$napping"' TERM
    sleep $((TIMEOUT + 1)) &
    napping=$!
    [ -z "$over" ] || kill -9 "$napping"
    wait "$napping" && kill "$limited_job"
    wait "$napping"
  ) >/dev/null 2>&1 &
  limited_by=$!
  wait "$limited_job"
  limited_code=$?
  kill "$limited_by" "$limited_job" 2>/dev/null
  wait "$limited_by" "$limited_job" 2>/dev/null
  return "$limited_code"
}

# The addresses of a name, each once, commas between. Few processes: a shard's CPU is the shard's. A name that is not in
# full nslookup may look up otherwise than everybody else.
addresses() {
  if command -v getent >/dev/null 2>&1; then
    limited getent ahosts "$1" | each_once_of_getent
  elif command -v nslookup >/dev/null 2>&1; then
    case $1 in
    *".$DOMAIN") limited nslookup "$1" 2>/dev/null | each_once_of_nslookup ;;
    *) printf -- - ;;
    esac
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

# host: as it stands in a URL.
in_url() {
  case $1 in *:*) HOST="[$1]" ;; *) HOST=$1 ;; esac
}

# host port path: writes the answer as it came, head and body, and what the tool complained about.
ask() {
  in_url "$1"
  case $TOOL in
  curl)
    curl -sS -i -g --noproxy '*' -A shardctl -m "$TIMEOUT" \
      -w "${MARK}curl %{time_namelookup} %{time_connect} %{time_starttransfer} %{time_total} %{remote_ip}$MARK" \
      "http://$HOST:$2$3"
    ;;
  bash)
    limited bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 7
      printf "\004connected\004"
      printf "GET %s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: shardctl\r\nConnection: close\r\n\r\n" "$2" "$3" "$1" >&3
      exec cat <&3' "$1" "$2" "$3" "$HOST"
    ;;
  wget)
    if [ "$GNU_WGET" = yes ]; then
      limited wget -nv -S -O - -t 1 -T "$TIMEOUT" --no-proxy "http://$HOST:$2$3"
    else
      # That of busybox: its own time-out crashes in some builds, so it is ended, and cannot say how far it came.
      limited wget -q -S -Y off -O - "http://$HOST:$2$3"
      code=$?
      [ "$code" -lt 124 ] || connected "$1" "$2"
      return "$code"
    fi
    ;;
  nc)
    # The last choice: some end the sending side once they have sent, and some servers take that for good-bye.
    limited send "$1" "$2" "$3"
    code=$?
    [ "$code" -lt 124 ] || connected "$1" "$2"
    return "$code"
    ;;
  none)
    echo "no tool to ask with"
    return 127
    ;;
  esac
}

# host port path: sets `said` to what `ask` writes, and how it ended.
hear() {
  said=$({ { ask "$1" "$2" "$3" 2>&1; printf '%sexit %s%s' "$MARK" "$?" "$MARK" >&4; } | head -c 4096; } 4>&1 |
    tr '\r\n\t\000' '\001\002\003\001')
}

# host port path: sends a request with nc, whose process becomes this one.
send() {
  exec nc -w "$TIMEOUT" "$1" "$2" <<END
GET $3 HTTP/1.0$CR
Host: $HOST:$2$CR
User-Agent: shardctl$CR
Connection: close$CR
$CR
END
}

# Sets NOW, in microseconds; empty where only whole seconds can be had.
now() {
  if [ -n "$EPOCHREALTIME" ]; then
    NOW=$EPOCHREALTIME
    NOW=${NOW%[.,]*}${NOW#*[.,]}
  else
    NOW=$(date +%s%N)
    # Not every `date` has a finer unit than a second.
    case $NOW in *[!0-9]*) NOW='' ;; ?????????????*) NOW=${NOW%???} ;; *) NOW='' ;; esac
  fi
}

# number name port path
answer() {
  # A name that is asked for again and again is looked up once, when it has an address.
  if [ "$2" != "$known" ]; then
    found=$(addresses "$2")
    known=${found:+$2}
  fi
  now
  start=$NOW took=-
  hear "$2" "$3" "$4"
  now
  [ -z "$NOW" ] || took=$((NOW - start))
  printf 'answer\t%s\t%s\t%s\t%s\n' "$1" "$found" "$took" "$said"
}

# Asks questions, four words each, with one process of busybox' wget, and returns how many it has answered. A process for
# each would cost the shard many times as much. It gives up at the first question that fails. `dd` bounds what it may write,
# and unlike `head` passes on at once what there is.
ask_together() {
  questions=$* urls=''
  while [ $# -gt 0 ]; do
    # wget tells the one address that it asks at; of itself the asker tells all.
    [ "$1" != "$OWN" ] || own=$(addresses "$2")
    in_url "$2"
    urls="$urls http://$HOST:$3$4"
    shift 4
  done
  sh -c 'echo $$; exec wget -S -Y off -O - "$@"' sh $urls 2>&1 |
    dd bs=1024 count=256 2>/dev/null | follow $questions
}

# Tells the questions apart by what wget says that it does, and answers them.
follow() {
  read -r pid
  # Who does not listen any more is noticed below.
  trap : PIPE
  now
  heard=$NOW answered=0
  begin
  while [ $# -gt 0 ]; do
    if IFS= read -r -t "$TIMEOUT" line; then
      now
      heard=$NOW
      case $line in
      'Connecting to '*)
        # An older one does not say that it has written an answer.
        if [ -n "$found" ]; then
          told 0 "$@"
          shift 4
        fi
        found=${line##*'('}
        found=${found%:*}
        found=${found#'['}
        found=${found%']'}
        resolved=$((NOW - began))
        ;;
      'written to stdout')
        told 0 "$@"
        shift 4
        ;;
      *)
        said=$said$line$LINE_END
        case $line in '  HTTP/'*) [ $first != - ] || first=$((NOW - began)) ;; esac
        ;;
      esac
      [ $((NOW - began)) -gt $((TIMEOUT * 1000000)) ] || continue
    else
      now
      said=$said$line
      # The end of the output, and silence, look the same.
      if [ $((NOW - heard)) -lt $((TIMEOUT * 900000)) ]; then
        [ $answered -gt 0 ] && [ -z "$found$said" ] || told 1 "$@"
        break
      fi
    fi
    kill "$pid" 2>/dev/null
    told 143 "$@"
    break
  done
  return $answered
}

begin() {
  began=$NOW found='' said='' resolved=- first=-
}

# exit code, number name port path
told() {
  took=$((NOW - began)) connected=''
  if [ "$1" = 143 ] && [ -n "$found" ] && [ $first = - ]; then connected=$(connected "$3" "$4"); fi
  at=${found:--}
  if [ "$2" = "$OWN" ] && [ "$own" != - ]; then found=$own; fi
  printf 'answer\t%s\t%s\t%s\t%s%s%s%.4096s\n' "$2" "$found" "$took" \
    "${MARK}micros $resolved - $first $took $at$MARK" "$connected" "${MARK}exit $1$MARK" "$said" || nobody_listens
  answered=$((answered + 1))
  now
  begin
}

# Ends the asking, lest it waits for ever at a shard that hangs.
nobody_listens() {
  kill "$pid" 2>/dev/null
  exit 141
}

# host port: whether there is a connection, where a tool that was ended did not say.
connected() {
  limited nc -w 1 "$1" "$2" </dev/null >/dev/null 2>&1
  # What keeps nc until it is ended, too, is a connection.
  case $? in 0 | 124 | 137 | 143) printf '%sconnected%s' "$MARK" "$MARK" ;; esac
}

# Waits so many milliseconds.
rest() {
  fraction=$((1000 + $1 % 1000))
  [ "$1" -le 0 ] || sleep "$(($1 / 1000)).${fraction#1}"
}

# Sets DUE, when a worker that asks so many questions at a time may begin: not all begin at once.
first_turn() {
  now
  DUE=$((NOW + PAUSE * 1000 * $1 * worker / WORKERS))
}

# Waits until it is the worker's turn. Who is late makes nothing up. Without the time it is always the next turn.
wait_for_turn() {
  if [ -n "$NOW" ]; then
    rest $(((DUE - NOW) / 1000))
    [ $DUE -gt "$NOW" ] || DUE=$NOW
  else
    rest "$PAUSE"
  fi
}

# Puts the next turn off, after so many questions.
asked() {
  DUE=$((DUE + PAUSE * 1000 * $1))
}

# The part of the questions that one worker asks.
share() {
  turn=0
  echo "$ASK" | while read -r number name port path; do
    turn=$(((turn + 1) % WORKERS))
    case $name in *@) name=${name%@}$DOMAIN ;; esac
    [ $turn != "$1" ] || echo "$number $name $port $path"
  done
}

one_by_one() {
  known=''
  first_turn 1
  while read -r number name port path; do
    wait_for_turn
    answer "$number" "$name" "$port" "$path"
    asked 1
  done
}

# At most ten at once, and no more than the worker may ask in a second.
in_batches() {
  DUE='' most=10
  [ "$PAUSE" -le 100 ] || most=$((1 + 999 / PAUSE))
  while :; do
    set --
    while [ $# -lt $((4 * most)) ] && read -r number name port path; do
      set -- "$@" "$number" "$name" "$port" "$path"
    done
    [ $# -gt 0 ] || return 0
    [ -n "$DUE" ] || first_turn $(($# / 4))
    while [ $# -gt 0 ]; do
      now
      wait_for_turn
      ask_together "$@"
      answered=$?
      # Nobody reads the answers any more.
      [ $answered -le 10 ] || return 0
      asked $answered
      shift $((4 * answered))
    done
  done
}

main() {
  # No word is the name of a file.
  set -f
  find_domain
  [ -n "$TOOL" ] || TOOL=$(best_tool)
  MARK=$(printf '\004') LINE_END=$(printf '\002') CR=$(printf '\r')
  printf 'tool\t%s\t%s\n' "$TOOL" "$DOMAIN"
  printf 'resolver\t%s\t%s\t%s\t%s\n' "$FROM" "$SEARCH" "$NDOTS" "$SERVERS"
  if [ "$TOOL" = python3 ]; then
    echo "$ASK" | python3 -c "$PYTHON" "$TIMEOUT" "$WORKERS" "$PAUSE" "$DOMAIN"
    return
  fi
  asking=one_by_one GNU_WGET=no
  if [ "$TOOL" = wget ]; then
    if wget --version >/dev/null 2>&1; then
      GNU_WGET=yes
    elif [ -n "$EPOCHREALTIME" ]; then
      asking=in_batches
    fi
  fi
  worker=0
  while [ "$worker" -lt "$WORKERS" ]; do
    share "$worker" | $asking &
    worker=$((worker + 1))
  done
  wait
}

main </dev/null
exit
