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
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "plan" -d 'Rank the sizes of machine for a service by fit, price and expected outages'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "costs" -d 'Show what nodes and disks cost, what of that is paid for nothing, and what it could be'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "vpa-report" -d 'Show what the VPA recommends, whether to believe it, and what it would change'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "routing-test" -d 'Let every shard ask every other by its stable name, and the client service, and say what is wrong'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "migrate" -d 'Move all shards to another node pool with the least outage'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "upgrade" -d 'Roll a new template through the shards, gated and undoable'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "drain" -d 'Empty a node without an outage that nobody approved'
complete -c shardctl -n "__fish_shardctl_needs_command" -f -a "rollout" -d 'See, resume, abort and undo what migrate, upgrade and drain do'
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
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l region -d 'Azure region of the prices; left out, that of the cluster\'s nodes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l arch -d 'Architecture of the machines; left out, what the node pool requires, else amd64' -r -f -a "amd64\t''
arm64\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l families -d 'Families or series to choose from, E or Eas_v5; left out, what the explore pool allows' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l zones -d 'Zones that machines are made in, 1 or eastus-1; left out, those that the node pool names, else three' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l max-nodes -d 'Leave out sizes that need more nodes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l prefer -d 'What the best size is best at' -r -f -a "price\t'The lowest price'
outage\t'The fewest outages in a year'
fewest-nodes\t'The fewest nodes'"
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l daemonset-overhead -d 'What DaemonSets take on each node: from-cluster, or cpu=500m,memory=800Mi' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l max-pods -d 'Pods that a node runs; left out, what the node class says, else 250' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l surge -d 'Nodes that the pool may make beyond those that shards need, to replace one' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l node-failures-per-year -d 'Unplanned losses of one node in a year' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l zone-outages-per-year -d 'Outages of one zone in a year' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l reserved -d 'Machines that are reserved already and cost nothing more, as Standard_E16s_v5=4; may be said again' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l with -d 'The ShardSet file of another service that shares the pool; may be said again' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l top -d 'How many sizes to show' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l pin -d 'Print the stable pool of the ShardSet file pinned to SIZE, or to the best one' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l prices -d 'Your own prices, a CSV file: region,name,term,usd,unit' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -s o -l output -d 'How to print it' -r -f -a "table\t'The answer in a sentence, the best sizes, and what would save nodes'
wide\t'Every column: the plan\'s figure, the real one, stranded room, limits of a pool'
json\t'The exact facts as one PlanReport, with every size that is out and why'
yaml\t'The same as YAML'"
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -l write -d 'Write the pinned pool into the ShardSet file, and change nothing else in it'
complete -c shardctl -n "__fish_shardctl_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l nodepool -d 'All nodes of a node pool, whoever runs on them' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l region -d 'Azure region of the prices; left out, that of each node' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l prices -d 'Your own prices, a CSV file: region,name,term,usd,unit' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l refresh-from -d 'Ask this mirror of the service instead' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -s o -l output -d 'How to print it' -r -f -a "table\t'A picture of nodes by cost and use, tables that fit the terminal, and what it comes to'
wide\t'Every column, and every disk'
json\t'The exact facts as one CostReport'
yaml\t'The same as YAML'"
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l all -d 'All nodes and disks of the cluster'
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l refresh -d 'Ask Azure\'s public price service first, for what is there and what `plan` would compare it with'
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l watch -d 'Print it again whenever it changes, until interrupted'
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -l no-picture -d 'Leave out the picture and print the tables and the summary only'
complete -c shardctl -n "__fish_shardctl_using_subcommand costs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l headroom -d 'Percent that memory is above the peak of the worst shard' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l region -d 'Azure region of the prices; left out, that of the cluster\'s nodes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l daemonset-overhead -d 'What DaemonSets take on each node: from-cluster, or cpu=500m,memory=800Mi' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l dry-run -d 'With --patch or --create-vpa: change nothing; client: show what would change; server: let it check that, too' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -s o -l output -d 'How to print it' -r -f -a "table\t'The answer in a sentence, request and recommendation side by side, what to know, and the proposal'
wide\t'Every column, and what each shard uses'
json\t'The exact facts as one VpaReport'
yaml\t'The same as YAML'"
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l whole-cores -d 'Round CPU up to whole cores, as if the nodes ran the static CPU manager; left out, as the node class says'
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l patch -d 'Write the proposal into the ShardSet file; without -f, print the command that applies it'
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l despite-doubts -d 'With --patch: take the proposal although the recommendation is doubted'
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -l create-vpa -d 'Create a VerticalPodAutoscaler in mode Off when there is none: it watches, and changes nothing'
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -s y -l yes -d 'Create the VerticalPodAutoscaler without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand vpa-report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l from -d 'Who asks' -r -f -a "shards\t'Each shard, from inside its container; a probe in the stead of one that cannot'
probe\t'A probe on each node that carries shards'
both\t'Shards and probes: what only one of them gets tells the shard from its node'"
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l probe-image -d 'Image of probes; it needs a shell, wget or nc, and nslookup' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l path -d 'What to ask for' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l port -d 'Port to ask at, instead of that of the readiness probe or the first that the template declares' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l identity -d 'Where an answer says which pod it is from: json:FIELD or header:NAME' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l service -d 'The client service to ask, instead of all that choose the shards and have an address of their own' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l requests -d 'Requests of each shard to each client service, each on a connection of its own; 0 asks none' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l timeout -d 'How long one answer may take, in whole seconds' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l concurrency -d 'Shards that ask at the same time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l qps -d 'Most questions a second, of all shards together' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l cluster-domain -d 'Domain of the cluster, instead of the one that the shards find' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l interval -d 'Every shard asks every other about once in so long; less often where that is more than --qps' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l for -d 'Watch for so long, instead of until interrupted' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l min-availability -d 'End with 5 when the service was available for less of the time, in percent' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -s o -l output -d 'How to show the result' -r -f -a "table\t'A matrix of who reaches whom, findings, and what to do about them'
wide\t'Every question on its own line'
json\t'The exact facts as one RoutingReport'
yaml\t'The same as YAML'
junit\t'JUnit XML, a case for each check'"
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l no-probe -d 'Make no pod: a shard that cannot ask is asked through port-forward'
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l no-identity -d 'Do not look who answers'
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -l watch -d 'Let the shards ask each other all the time, until interrupted, and tell the availability as they saw it'
complete -c shardctl -n "__fish_shardctl_using_subcommand routing-test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l to -d 'The phase whose node pool the shards move to; its pool is named by the ShardSet file' -r -f -a "explore\t'A broad node pool: find out which machine fits'
stable\t'One pinned instance type, tainted, no voluntary disruption'"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l to-nodepool -d 'The node pool that the shards move to' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l strategy -d 'How many shards go down together; left out: as the ShardSet file says, or one by one' -r -f -a "one-by-one\t'One after the other: n outages for n shards'
canary\t'One shard proves the place and the template, then all others at once: two outages'"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l wave-size -d 'One shard first, then so many at a time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l order -d 'In which order; shards that are down go first in any case' -r -f -a "ascending\t'0 first'
descending\t'The last one first, as the StatefulSet controller itself rolls'"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l settle -d 'How long the whole service must have been up before the next wave' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l timeout -d 'Longest time for a shard to come back' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l max-outage -d 'Start no wave whose outage is forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l max-total-outage -d 'Start no wave with which all outages together are forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l restart-seconds -d 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l gate -d 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l gate-successes -d 'Good answers in a row that the gate takes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l placeholder-image -d 'Image of the pods that keep places for shards; it does nothing and needs no shell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l on-failure -d 'What to do when a shard does not come back' -r -f -a "stop\t'Stop, and let the operator resume or undo'
undo\t'Roll the moved shards back to where they were'"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l dry-run -d 'Show the plan and change nothing; server lets the API server check the template too' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -s o -l output -d 'json: one event per line, and a summary at the end' -r -f -a "table\t'A live view at a terminal, a line for each event elsewhere, and the ledger'
json\t'One JSON object for each event, and a last one for the run'"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l delete-source-pool -d 'Delete the node pools that the shards came from, when no shard is left on them and they are shardctl\'s'
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l no-prewarm -d 'Make no room before the first shard goes: each outage then includes what it takes to make a node'
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l force-conflicts -d 'Go on although other controllers own what is changed, or change it themselves'
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -l allow-zero-grace-period -d 'Delete pods whose grace period is 0: two of them may write to one volume'
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -s y -l yes -d 'Go on without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l image -d 'The new image, with a tag that never moves or a digest; CONTAINER=REF where the pod has several containers' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l set-resources -d 'New requests and limits of a shard, both alike: cpu=4,memory=26Gi' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l strategy -d 'How many shards go down together; left out: as the ShardSet file says, or one by one' -r -f -a "one-by-one\t'One after the other: n outages for n shards'
canary\t'One shard proves the place and the template, then all others at once: two outages'"
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l wave-size -d 'One shard first, then so many at a time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l order -d 'In which order; shards that are down go first in any case' -r -f -a "ascending\t'0 first'
descending\t'The last one first, as the StatefulSet controller itself rolls'"
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l settle -d 'How long the whole service must have been up before the next wave' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l timeout -d 'Longest time for a shard to come back' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l max-outage -d 'Start no wave whose outage is forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l max-total-outage -d 'Start no wave with which all outages together are forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l restart-seconds -d 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l gate -d 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l gate-successes -d 'Good answers in a row that the gate takes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l placeholder-image -d 'Image of the pods that keep places for shards; it does nothing and needs no shell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l on-failure -d 'What to do when a shard does not come back' -r -f -a "stop\t'Stop, and let the operator resume or undo'
undo\t'Roll the moved shards back to where they were'"
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l dry-run -d 'Show the plan and change nothing; server lets the API server check the template too' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -s o -l output -d 'json: one event per line, and a summary at the end' -r -f -a "table\t'A live view at a terminal, a line for each event elsewhere, and the ledger'
json\t'One JSON object for each event, and a last one for the run'"
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l no-prewarm -d 'Make no room before the first shard goes: each outage then includes what it takes to make a node'
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l force-conflicts -d 'Go on although other controllers own what is changed, or change it themselves'
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -l allow-zero-grace-period -d 'Delete pods whose grace period is 0: two of them may write to one volume'
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -s y -l yes -d 'Go on without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand upgrade" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l workload -d 'The StatefulSet whose shards are moved; may be left out when the namespace has one' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -s f -l file -d 'The ShardSet file of the workload' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l strategy -d 'How many shards go down together; left out: as the ShardSet file says, or one by one' -r -f -a "one-by-one\t'One after the other: n outages for n shards'
canary\t'One shard proves the place and the template, then all others at once: two outages'"
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l wave-size -d 'One shard first, then so many at a time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l order -d 'In which order; shards that are down go first in any case' -r -f -a "ascending\t'0 first'
descending\t'The last one first, as the StatefulSet controller itself rolls'"
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l settle -d 'How long the whole service must have been up before the next wave' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l timeout -d 'Longest time for a shard to come back' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l max-outage -d 'Start no wave whose outage is forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l max-total-outage -d 'Start no wave with which all outages together are forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l restart-seconds -d 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l gate -d 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l gate-successes -d 'Good answers in a row that the gate takes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l placeholder-image -d 'Image of the pods that keep places for shards; it does nothing and needs no shell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l on-failure -d 'What to do when a shard does not come back' -r -f -a "stop\t'Stop, and let the operator resume or undo'
undo\t'Roll the moved shards back to where they were'"
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l dry-run -d 'Show the plan and change nothing; server lets the API server check the template too' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -s o -l output -d 'json: one event per line, and a summary at the end' -r -f -a "table\t'A live view at a terminal, a line for each event elsewhere, and the ledger'
json\t'One JSON object for each event, and a last one for the run'"
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l ignore-daemonsets -d 'Leave pods of DaemonSets where they are'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l delete-emptydir-data -d 'Evict pods that use emptyDir: what is in it is lost'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l force -d 'Evict pods that no controller makes anew'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l relax-pdb -d 'Relax the disruption budgets that forbid the evictions, and restore them after'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l no-prewarm -d 'Make no room before the first shard goes: each outage then includes what it takes to make a node'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l force-conflicts -d 'Go on although other controllers own what is changed, or change it themselves'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -l allow-zero-grace-period -d 'Delete pods whose grace period is 0: two of them may write to one volume'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -s y -l yes -d 'Go on without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -f -a "status" -d 'Show which shards are up from the newest template, and what is left'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -f -a "history" -d 'Show the runs of a workload and the revisions of its template'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -f -a "resume" -d 'Go on with a run that stopped part-way'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -f -a "abort" -d 'Take back what a run that stopped part-way has changed, but for the shards that it moved'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -f -a "undo" -d 'Give the shards an earlier template'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and not __fish_seen_subcommand_from status history resume abort undo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s o -l output -d 'How to print it' -r -f -a "table\t''
json\t''
yaml\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l watch -d 'Print it again whenever it changes, until interrupted'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -l no-health -d 'Do not ask the shards for their health'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l run -d 'Show the ledger of one run' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l revision -d 'Show what one revision of the template changed' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s o -l output -d 'How to print it' -r -f -a "table\t''
json\t''
yaml\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l run -d 'Which run; left out: the one that is open' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s o -l output -d 'json: one event per line, and a summary at the end' -r -f -a "table\t'A live view at a terminal, a line for each event elsewhere, and the ledger'
json\t'One JSON object for each event, and a last one for the run'"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s y -l yes -d 'Go on without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l run -d 'Which run; left out: the one that is open' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -s y -l yes -d 'Abort without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from abort" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s f -l file -d 'The ShardSet file of the workload; - reads standard input' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l to-revision -d 'The revision to go back to, as `shardctl rollout history` numbers them' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l strategy -d 'How many shards go down together; left out: as the ShardSet file says, or one by one' -r -f -a "one-by-one\t'One after the other: n outages for n shards'
canary\t'One shard proves the place and the template, then all others at once: two outages'"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l wave-size -d 'One shard first, then so many at a time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l order -d 'In which order; shards that are down go first in any case' -r -f -a "ascending\t'0 first'
descending\t'The last one first, as the StatefulSet controller itself rolls'"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l settle -d 'How long the whole service must have been up before the next wave' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l timeout -d 'Longest time for a shard to come back' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l max-outage -d 'Start no wave whose outage is forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l max-total-outage -d 'Start no wave with which all outages together are forecast to be longer' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l restart-seconds -d 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l gate -d 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l gate-successes -d 'Good answers in a row that the gate takes' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l placeholder-image -d 'Image of the pods that keep places for shards; it does nothing and needs no shell' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l on-failure -d 'What to do when a shard does not come back' -r -f -a "stop\t'Stop, and let the operator resume or undo'
undo\t'Roll the moved shards back to where they were'"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l dry-run -d 'Show the plan and change nothing; server lets the API server check the template too' -r -f -a "none\t''
client\t''
server\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s o -l output -d 'json: one event per line, and a summary at the end' -r -f -a "table\t'A live view at a terminal, a line for each event elsewhere, and the ledger'
json\t'One JSON object for each event, and a last one for the run'"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l no-prewarm -d 'Make no room before the first shard goes: each outage then includes what it takes to make a node'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l force-conflicts -d 'Go on although other controllers own what is changed, or change it themselves'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -l allow-zero-grace-period -d 'Delete pods whose grace period is 0: two of them may write to one volume'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s y -l yes -d 'Go on without asking'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show which shards are up from the newest template, and what is left'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "history" -d 'Show the runs of a workload and the revisions of its template'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "resume" -d 'Go on with a run that stopped part-way'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "abort" -d 'Take back what a run that stopped part-way has changed, but for the shards that it moved'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "undo" -d 'Give the shards an earlier template'
complete -c shardctl -n "__fish_shardctl_using_subcommand rollout; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
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
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "up" -d 'Start a lab, or start again what has stopped in it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "down" -d 'Stop a lab and remove everything that belongs to it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "status" -d 'List the labs on this machine and the state of their components'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "env" -d 'Print the shell line that points kubectl and shardctl to a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "kubeconfig" -d 'Print the kubeconfig of a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "node" -d 'Stop, start and disconnect the nodes of a lab of the real tier'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "build" -d 'Build the lab\'s components from their pinned sources, once per version'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and not __fish_seen_subcommand_from up down status env kubeconfig node build help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l name -d 'Name of the lab' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l tier -d 'What its nodes are [default: kwok]' -r -f -a "kwok\t'Simulated by kwok: any number, at once, without rights'
real\t'Real kubelets, containers, network and DNS: needs root, containerd and more'"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from up" -l nodes -d 'How many real nodes it has [default: 3]' -r
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
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from status" -l name -d 'Only the lab of this name' -r
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
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l kubeconfig -d 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config' -r -F
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l context -d 'Name of the kubeconfig context to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l cluster -d 'Name of the kubeconfig cluster to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l user -d 'Name of the kubeconfig user to use' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -s n -l namespace -d 'Namespace of the workload, instead of the context\'s' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l as -d 'User to impersonate' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l as-group -d 'Group to impersonate, can be repeated' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l request-timeout -d 'Longest wait for one answer of the API server' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -l color -d 'When to use colour' -r -f -a "auto\t'At a terminal, unless NO_COLOR is set or TERM is dumb'
always\t''
never\t''"
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -s v -l v -d 'Verbosity of the log on standard error: 6 shows each request with its time' -r
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -f -a "stop" -d 'Cut a node\'s power, or kill one of its daemons'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -f -a "start" -d 'Start a node that was stopped, or what was stopped on it'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -f -a "cut" -d 'Disconnect a node from everybody, from another node, or from DNS'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -f -a "mend" -d 'Connect a node again, or all nodes'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -f -a "exec" -d 'Run a command on a node, as root'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from node" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from build" -l tier -d 'For labs with these nodes' -r -f -a "kwok\t'Simulated by kwok: any number, at once, without rights'
real\t'Real kubelets, containers, network and DNS: needs root, containerd and more'"
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
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "node" -d 'Stop, start and disconnect the nodes of a lab of the real tier'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "build" -d 'Build the lab\'s components from their pinned sources, once per version'
complete -c shardctl -n "__fish_shardctl_using_subcommand lab; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "init" -d 'Write a ShardSet file with comments'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "deploy" -d 'Apply a ShardSet and wait until every shard is up'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "delete" -d 'Delete a service in the safe order, and keep its volumes'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "status" -d 'Tell whether the service is whole, since when, and which shard is not'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "verify" -d 'Check everything there is to check about a service'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "packing" -d 'Show where shards sit, what room is free or stranded, and how few nodes would do'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "plan" -d 'Rank the sizes of machine for a service by fit, price and expected outages'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "costs" -d 'Show what nodes and disks cost, what of that is paid for nothing, and what it could be'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "vpa-report" -d 'Show what the VPA recommends, whether to believe it, and what it would change'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "routing-test" -d 'Let every shard ask every other by its stable name, and the client service, and say what is wrong'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "migrate" -d 'Move all shards to another node pool with the least outage'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "upgrade" -d 'Roll a new template through the shards, gated and undoable'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "drain" -d 'Empty a node without an outage that nobody approved'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "rollout" -d 'See, resume, abort and undo what migrate, upgrade and drain do'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "explain" -d 'Explain an exit code, or a check of verify'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "options" -d 'List the global options, which every command understands'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "version" -d 'Print the version of shardctl, and of the API server'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "completion" -d 'Print a completion script for a shell'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "lab" -d 'Run a real Kubernetes control plane with Karpenter on this machine'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and not __fish_seen_subcommand_from init deploy delete status verify packing plan costs vpa-report routing-test migrate upgrade drain rollout explain options version completion lab help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "status" -d 'Show which shards are up from the newest template, and what is left'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "history" -d 'Show the runs of a workload and the revisions of its template'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "resume" -d 'Go on with a run that stopped part-way'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "abort" -d 'Take back what a run that stopped part-way has changed, but for the shards that it moved'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from rollout" -f -a "undo" -d 'Give the shards an earlier template'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "up" -d 'Start a lab, or start again what has stopped in it'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "down" -d 'Stop a lab and remove everything that belongs to it'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "status" -d 'List the labs on this machine and the state of their components'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "env" -d 'Print the shell line that points kubectl and shardctl to a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "kubeconfig" -d 'Print the kubeconfig of a lab'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "node" -d 'Stop, start and disconnect the nodes of a lab of the real tier'
complete -c shardctl -n "__fish_shardctl_using_subcommand help; and __fish_seen_subcommand_from lab" -f -a "build" -d 'Build the lab\'s components from their pinned sources, once per version'
