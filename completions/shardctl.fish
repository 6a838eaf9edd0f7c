# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_shardctl_global_optspecs
    string join \n kubeconfig= context= cluster= user= n/namespace= as= as-group= request-timeout= color= v/v= h/help V/version
end

function __fish_shardctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_shardctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_shardctl_using_subcommand
    set -l cmd (__fish_shardctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c shardctl -n "__fish_shardctl_needs_command" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_needs_command" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_needs_command" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_needs_command" -s V -l version -d 'Print version'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "init" -d 'Write a ShardSet file with comments'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "deploy" -d 'Apply a ShardSet and wait until every shard is up'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "delete" -d 'Delete a service in the safe order, and keep its volumes'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "status" -d 'Tell whether the service is whole, since when, and which shard is not'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "verify" -d 'Check everything there is to check about a service'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "packing" -d 'Show where shards sit, what room is free or stranded, and how few nodes would do'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "explain" -d 'Explain an exit code, or a check of verify'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "options" -d 'List the global options, which every command understands'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "version" -d 'Print the version of shardctl, and of the API server'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "completion" -d 'Print a completion script for a shell'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "lab" -d 'Run a real Kubernetes control plane with Karpenter on this machine'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l from -d 'Describe this StatefulSet of the cluster' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l name -d 'Name of the service' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l image -d 'Image of the shard' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l storage-class -d 'Storage class of the volumes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l node-class -d 'Node class of the node pools, as KIND.GROUP/NAME' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l file -d 'Write to this file, which must not exist, instead of standard output' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -l schema -d 'Print the JSON Schema of the ShardSet file instead, for editors'
complete -c shardctl -n "__fish_shardctl_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -s f -l file -d 'The ShardSet file; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l phase -d 'Which node pool the shards belong on' -r -f -a "explore\t'A broad node pool: find out which machine fits'
stable\t'One pinned instance type, tainted, no voluntary disruption'"
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -s o -l output -d 'Print the objects for other tools, and do nothing else' -r -f -a "yaml\t''
json\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l dry-run -d 'client: name the objects without asking the server; server: let it check them and show what would change' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l timeout -d 'Longest wait for all shards to be up' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -s y -l yes -d 'Apply without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l force-conflicts -d 'Take over objects and fields that other managers own'
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -l no-wait -d 'Return once the objects are applied'
complete -c shardctl -n "__fish_shardctl_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -s f -l file -d 'The ShardSet file; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l delete-volumes -d 'Delete the data as well; the value must be the service\'s name' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l dry-run -d 'Delete nothing; client: name what would go; server: let it check that it may go, too' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l timeout -d 'Longest wait for pods to end and nodes to go' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -s y -l yes -d 'Delete without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -s o -l output -d 'How to show the result' -r -f -a "table\t'One line'
json\t''
yaml\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l watch -d 'Tell again whenever it changes, until interrupted'
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -l no-health -d 'Do not ask the shards for their health'
complete -c shardctl -n "__fish_shardctl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l phase -d 'Phase that the service should be in, instead of what its annotation says' -r -f -a "explore\t'A broad node pool: find out which machine fits'
stable\t'One pinned instance type, tainted, no voluntary disruption'"
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -s o -l output -d 'How to show the result' -r -f -a "table\t'Findings, and what to do about them'
wide\t'Every finding and every check on its own line'
json\t''
yaml\t''
junit\t'JUnit XML, a case for each check'
prometheus\t'Prometheus text format'"
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l wait -d 'Look again until nothing fails, at most this long' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l fail-on -d 'Least severity of a finding that fails the command' -r -f -a "info\t'Worth knowing'
warning\t'A line of defence is missing'
error\t'The service is down, or will go down or lose data'"
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l only -d 'Run these checks or subjects only, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l skip -d 'Leave out these checks or subjects, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l watch -d 'Look again whenever something changes, until interrupted'
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -l no-health -d 'Do not ask the shards for their health'
complete -c shardctl -n "__fish_shardctl_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -s o -l output -d 'How to print it' -r -f -a "table\t'A picture, a table that fits the terminal, and what it comes to'
wide\t'Every column: requests by kind of pod, usage of shards, prices'
json\t'The exact facts as one PackingReport'
yaml\t'The same as YAML'"
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l watch -d 'Print it again whenever it changes, until interrupted'
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -l no-picture -d 'Leave out the picture and print the table and the summary only'
complete -c shardctl -n "__fish_shardctl_using_subcommand packing" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand options" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -l client -d 'Print the version of shardctl only, without asking the API server'
complete -c shardctl -n "__fish_shardctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "up" -d 'Start a lab, or start again what has stopped in it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "down" -d 'Stop a lab and remove everything that belongs to it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "status" -d 'List the labs on this machine and the state of their components'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "env" -d 'Print the shell line that points kubectl and shardctl to a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "kubeconfig" -d 'Print the kubeconfig of a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "build" -d 'Build the lab\'s components from their pinned sources, once per version'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig build help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l name -d 'Name of the lab' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l node-launch -d 'Time that a machine takes to appear, in whole seconds [default: 12s]' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l pod-start -d 'Time that a pod takes to become ready [default: 2500ms]' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l sizes -d 'Instance types in the JSON form of Karpenter\'s KWOK provider, instead of Azure\'s' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l name -d 'Name of the lab' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -l all -d 'Stop and remove every lab on this machine'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from down" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -s o -l output -d 'Form of the answer' -r -f -a "table\t''
json\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l name -d 'Name of the lab' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from env" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l name -d 'Name of the lab' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from kubeconfig" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "up" -d 'Start a lab, or start again what has stopped in it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "down" -d 'Stop a lab and remove everything that belongs to it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "status" -d 'List the labs on this machine and the state of their components'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "env" -d 'Print the shell line that points kubectl and shardctl to a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "kubeconfig" -d 'Print the kubeconfig of a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "build" -d 'Build the lab\'s components from their pinned sources, once per version'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "init" -d 'Write a ShardSet file with comments'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "deploy" -d 'Apply a ShardSet and wait until every shard is up'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "delete" -d 'Delete a service in the safe order, and keep its volumes'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "status" -d 'Tell whether the service is whole, since when, and which shard is not'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "verify" -d 'Check everything there is to check about a service'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "packing" -d 'Show where shards sit, what room is free or stranded, and how few nodes would do'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "explain" -d 'Explain an exit code, or a check of verify'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "options" -d 'List the global options, which every command understands'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "version" -d 'Print the version of shardctl, and of the API server'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "completion" -d 'Print a completion script for a shell'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "lab" -d 'Run a real Kubernetes control plane with Karpenter on this machine'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing explain options version completion lab help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "up" -d 'Start a lab, or start again what has stopped in it'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "down" -d 'Stop a lab and remove everything that belongs to it'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "status" -d 'List the labs on this machine and the state of their components'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "env" -d 'Print the shell line that points kubectl and shardctl to a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "kubeconfig" -d 'Print the kubeconfig of a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "build" -d 'Build the lab\'s components from their pinned sources, once per version'
