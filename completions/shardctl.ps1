
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'shardctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'shardctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'shardctl' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a ShardSet file with comments')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Apply a ShardSet and wait until every shard is up')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a service in the safe order, and keep its volumes')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Tell whether the service is whole, since when, and which shard is not')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check everything there is to check about a service')
            [CompletionResult]::new('packing', 'packing', [CompletionResultType]::ParameterValue, 'Show where shards sit, what room is free or stranded, and how few nodes would do')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Rank the sizes of machine for a service by fit, price and expected outages')
            [CompletionResult]::new('costs', 'costs', [CompletionResultType]::ParameterValue, 'Show what nodes and disks cost, what of that is paid for nothing, and what it could be')
            [CompletionResult]::new('vpa-report', 'vpa-report', [CompletionResultType]::ParameterValue, 'Show what the VPA recommends, whether to believe it, and what it would change')
            [CompletionResult]::new('routing-test', 'routing-test', [CompletionResultType]::ParameterValue, 'Let every shard ask every other by its stable name, and the client service, and say what is wrong')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Move all shards to another node pool with the least outage')
            [CompletionResult]::new('upgrade', 'upgrade', [CompletionResultType]::ParameterValue, 'Roll a new template through the shards, gated and undoable')
            [CompletionResult]::new('drain', 'drain', [CompletionResultType]::ParameterValue, 'Empty a node without an outage that nobody approved')
            [CompletionResult]::new('rollout', 'rollout', [CompletionResultType]::ParameterValue, 'See, resume, abort and undo what migrate, upgrade and drain do')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain an exit code, or a check of verify')
            [CompletionResult]::new('options', 'options', [CompletionResultType]::ParameterValue, 'List the global options, which every command understands')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version of shardctl, and of the API server')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('lab', 'lab', [CompletionResultType]::ParameterValue, 'Run a real Kubernetes control plane with Karpenter on this machine')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;init' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Describe this StatefulSet of the cluster')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the service')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Image of the shard')
            [CompletionResult]::new('--storage-class', '--storage-class', [CompletionResultType]::ParameterName, 'Storage class of the volumes')
            [CompletionResult]::new('--node-class', '--node-class', [CompletionResultType]::ParameterName, 'Node class of the node pools, as KIND.GROUP/NAME')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Write to this file, which must not exist, instead of standard output')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--schema', '--schema', [CompletionResultType]::ParameterName, 'Print the JSON Schema of the ShardSet file instead, for editors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;deploy' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file; - reads standard input')
            [CompletionResult]::new('--phase', '--phase', [CompletionResultType]::ParameterName, 'Which node pool the shards belong on')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print the objects for other tools, and do nothing else')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print the objects for other tools, and do nothing else')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'client: name the objects without asking the server; server: let it check them and show what would change')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest wait for all shards to be up')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Apply without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Apply without asking')
            [CompletionResult]::new('--force-conflicts', '--force-conflicts', [CompletionResultType]::ParameterName, 'Take over objects and fields that other managers own')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Return once the objects are applied')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;delete' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file; - reads standard input')
            [CompletionResult]::new('--delete-volumes', '--delete-volumes', [CompletionResultType]::ParameterName, 'Delete the data as well; the value must be the service''s name')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Delete nothing; client: name what would go; server: let it check that it may go, too')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest wait for pods to end and nodes to go')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Delete without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Delete without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;status' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Tell again whenever it changes, until interrupted')
            [CompletionResult]::new('--no-health', '--no-health', [CompletionResultType]::ParameterName, 'Do not ask the shards for their health')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;verify' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--phase', '--phase', [CompletionResultType]::ParameterName, 'Phase that the service should be in, instead of what its annotation says')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Look again until nothing fails, at most this long')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Least severity of a finding that fails the command')
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Run these checks or subjects only, can be repeated')
            [CompletionResult]::new('--skip', '--skip', [CompletionResultType]::ParameterName, 'Leave out these checks or subjects, can be repeated')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Look again whenever something changes, until interrupted')
            [CompletionResult]::new('--no-health', '--no-health', [CompletionResultType]::ParameterName, 'Do not ask the shards for their health')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;packing' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Print it again whenever it changes, until interrupted')
            [CompletionResult]::new('--no-picture', '--no-picture', [CompletionResultType]::ParameterName, 'Leave out the picture and print the table and the summary only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;plan' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Azure region of the prices; left out, that of the cluster''s nodes')
            [CompletionResult]::new('--arch', '--arch', [CompletionResultType]::ParameterName, 'Architecture of the machines; left out, what the node pool requires, else amd64')
            [CompletionResult]::new('--families', '--families', [CompletionResultType]::ParameterName, 'Families or series to choose from, E or Eas_v5; left out, what the explore pool allows')
            [CompletionResult]::new('--zones', '--zones', [CompletionResultType]::ParameterName, 'Zones that machines are made in, 1 or eastus-1; left out, those that the node pool names, else three')
            [CompletionResult]::new('--max-nodes', '--max-nodes', [CompletionResultType]::ParameterName, 'Leave out sizes that need more nodes')
            [CompletionResult]::new('--prefer', '--prefer', [CompletionResultType]::ParameterName, 'What the best size is best at')
            [CompletionResult]::new('--daemonset-overhead', '--daemonset-overhead', [CompletionResultType]::ParameterName, 'What DaemonSets take on each node: from-cluster, or cpu=500m,memory=800Mi')
            [CompletionResult]::new('--max-pods', '--max-pods', [CompletionResultType]::ParameterName, 'Pods that a node runs; left out, what the node class says, else 250')
            [CompletionResult]::new('--surge', '--surge', [CompletionResultType]::ParameterName, 'Nodes that the pool may make beyond those that shards need, to replace one')
            [CompletionResult]::new('--node-failures-per-year', '--node-failures-per-year', [CompletionResultType]::ParameterName, 'Unplanned losses of one node in a year')
            [CompletionResult]::new('--zone-outages-per-year', '--zone-outages-per-year', [CompletionResultType]::ParameterName, 'Outages of one zone in a year')
            [CompletionResult]::new('--reserved', '--reserved', [CompletionResultType]::ParameterName, 'Machines that are reserved already and cost nothing more, as Standard_E16s_v5=4; may be said again')
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'The ShardSet file of another service that shares the pool; may be said again')
            [CompletionResult]::new('--top', '--top', [CompletionResultType]::ParameterName, 'How many sizes to show')
            [CompletionResult]::new('--pin', '--pin', [CompletionResultType]::ParameterName, 'Print the stable pool of the ShardSet file pinned to SIZE, or to the best one')
            [CompletionResult]::new('--prices', '--prices', [CompletionResultType]::ParameterName, 'Your own prices, a CSV file: region,name,term,usd,unit')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--write', '--write', [CompletionResultType]::ParameterName, 'Write the pinned pool into the ShardSet file, and change nothing else in it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;costs' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--nodepool', '--nodepool', [CompletionResultType]::ParameterName, 'All nodes of a node pool, whoever runs on them')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Azure region of the prices; left out, that of each node')
            [CompletionResult]::new('--prices', '--prices', [CompletionResultType]::ParameterName, 'Your own prices, a CSV file: region,name,term,usd,unit')
            [CompletionResult]::new('--refresh-from', '--refresh-from', [CompletionResultType]::ParameterName, 'Ask this mirror of the service instead')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All nodes and disks of the cluster')
            [CompletionResult]::new('--refresh', '--refresh', [CompletionResultType]::ParameterName, 'Ask Azure''s public price service first, for what is there and what `plan` would compare it with')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Print it again whenever it changes, until interrupted')
            [CompletionResult]::new('--no-picture', '--no-picture', [CompletionResultType]::ParameterName, 'Leave out the picture and print the tables and the summary only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;vpa-report' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--headroom', '--headroom', [CompletionResultType]::ParameterName, 'Percent that memory is above the peak of the worst shard')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Azure region of the prices; left out, that of the cluster''s nodes')
            [CompletionResult]::new('--daemonset-overhead', '--daemonset-overhead', [CompletionResultType]::ParameterName, 'What DaemonSets take on each node: from-cluster, or cpu=500m,memory=800Mi')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'With --patch or --create-vpa: change nothing; client: show what would change; server: let it check that, too')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--whole-cores', '--whole-cores', [CompletionResultType]::ParameterName, 'Round CPU up to whole cores, as if the nodes ran the static CPU manager; left out, as the node class says')
            [CompletionResult]::new('--patch', '--patch', [CompletionResultType]::ParameterName, 'Write the proposal into the ShardSet file; without -f, print the command that applies it')
            [CompletionResult]::new('--despite-doubts', '--despite-doubts', [CompletionResultType]::ParameterName, 'With --patch: take the proposal although the recommendation is doubted')
            [CompletionResult]::new('--create-vpa', '--create-vpa', [CompletionResultType]::ParameterName, 'Create a VerticalPodAutoscaler in mode Off when there is none: it watches, and changes nothing')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Create the VerticalPodAutoscaler without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Create the VerticalPodAutoscaler without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;routing-test' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Who asks')
            [CompletionResult]::new('--probe-image', '--probe-image', [CompletionResultType]::ParameterName, 'Image of probes; it needs a shell, wget or nc, and nslookup')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'What to ask for')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port to ask at, instead of that of the readiness probe or the first that the template declares')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Where an answer says which pod it is from: json:FIELD or header:NAME')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'The client service to ask, instead of all that choose the shards and have an address of their own')
            [CompletionResult]::new('--requests', '--requests', [CompletionResultType]::ParameterName, 'Requests of each shard to each client service, each on a connection of its own; 0 asks none')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long one answer may take, in whole seconds')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'Shards that ask at the same time')
            [CompletionResult]::new('--qps', '--qps', [CompletionResultType]::ParameterName, 'Most questions a second, of all shards together')
            [CompletionResult]::new('--cluster-domain', '--cluster-domain', [CompletionResultType]::ParameterName, 'Domain of the cluster, instead of the one that the shards find')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Every shard asks every other about once in so long; less often where that is more than --qps')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Watch for so long, instead of until interrupted')
            [CompletionResult]::new('--min-availability', '--min-availability', [CompletionResultType]::ParameterName, 'End with 5 when the service was available for less of the time, in percent')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to show the result')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--no-probe', '--no-probe', [CompletionResultType]::ParameterName, 'Make no pod: a shard that cannot ask is asked through port-forward')
            [CompletionResult]::new('--no-identity', '--no-identity', [CompletionResultType]::ParameterName, 'Do not look who answers')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Let the shards ask each other all the time, until interrupted, and tell the availability as they saw it')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;migrate' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'The phase whose node pool the shards move to; its pool is named by the ShardSet file')
            [CompletionResult]::new('--to-nodepool', '--to-nodepool', [CompletionResultType]::ParameterName, 'The node pool that the shards move to')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How many shards go down together; left out: as the ShardSet file says, or one by one')
            [CompletionResult]::new('--wave-size', '--wave-size', [CompletionResultType]::ParameterName, 'One shard first, then so many at a time')
            [CompletionResult]::new('--order', '--order', [CompletionResultType]::ParameterName, 'In which order; shards that are down go first in any case')
            [CompletionResult]::new('--settle', '--settle', [CompletionResultType]::ParameterName, 'How long the whole service must have been up before the next wave')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time for a shard to come back')
            [CompletionResult]::new('--max-outage', '--max-outage', [CompletionResultType]::ParameterName, 'Start no wave whose outage is forecast to be longer')
            [CompletionResult]::new('--max-total-outage', '--max-total-outage', [CompletionResultType]::ParameterName, 'Start no wave with which all outages together are forecast to be longer')
            [CompletionResult]::new('--restart-seconds', '--restart-seconds', [CompletionResultType]::ParameterName, 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell')
            [CompletionResult]::new('--gate', '--gate', [CompletionResultType]::ParameterName, 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND')
            [CompletionResult]::new('--gate-successes', '--gate-successes', [CompletionResultType]::ParameterName, 'Good answers in a row that the gate takes')
            [CompletionResult]::new('--placeholder-image', '--placeholder-image', [CompletionResultType]::ParameterName, 'Image of the pods that keep places for shards; it does nothing and needs no shell')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'What to do when a shard does not come back')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and change nothing; server lets the API server check the template too')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--delete-source-pool', '--delete-source-pool', [CompletionResultType]::ParameterName, 'Delete the node pools that the shards came from, when no shard is left on them and they are shardctl''s')
            [CompletionResult]::new('--no-prewarm', '--no-prewarm', [CompletionResultType]::ParameterName, 'Make no room before the first shard goes: each outage then includes what it takes to make a node')
            [CompletionResult]::new('--force-conflicts', '--force-conflicts', [CompletionResultType]::ParameterName, 'Go on although other controllers own what is changed, or change it themselves')
            [CompletionResult]::new('--allow-zero-grace-period', '--allow-zero-grace-period', [CompletionResultType]::ParameterName, 'Delete pods whose grace period is 0: two of them may write to one volume')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;upgrade' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'The new image, with a tag that never moves or a digest; CONTAINER=REF where the pod has several containers')
            [CompletionResult]::new('--set-resources', '--set-resources', [CompletionResultType]::ParameterName, 'New requests and limits of a shard, both alike: cpu=4,memory=26Gi')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How many shards go down together; left out: as the ShardSet file says, or one by one')
            [CompletionResult]::new('--wave-size', '--wave-size', [CompletionResultType]::ParameterName, 'One shard first, then so many at a time')
            [CompletionResult]::new('--order', '--order', [CompletionResultType]::ParameterName, 'In which order; shards that are down go first in any case')
            [CompletionResult]::new('--settle', '--settle', [CompletionResultType]::ParameterName, 'How long the whole service must have been up before the next wave')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time for a shard to come back')
            [CompletionResult]::new('--max-outage', '--max-outage', [CompletionResultType]::ParameterName, 'Start no wave whose outage is forecast to be longer')
            [CompletionResult]::new('--max-total-outage', '--max-total-outage', [CompletionResultType]::ParameterName, 'Start no wave with which all outages together are forecast to be longer')
            [CompletionResult]::new('--restart-seconds', '--restart-seconds', [CompletionResultType]::ParameterName, 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell')
            [CompletionResult]::new('--gate', '--gate', [CompletionResultType]::ParameterName, 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND')
            [CompletionResult]::new('--gate-successes', '--gate-successes', [CompletionResultType]::ParameterName, 'Good answers in a row that the gate takes')
            [CompletionResult]::new('--placeholder-image', '--placeholder-image', [CompletionResultType]::ParameterName, 'Image of the pods that keep places for shards; it does nothing and needs no shell')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'What to do when a shard does not come back')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and change nothing; server lets the API server check the template too')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--no-prewarm', '--no-prewarm', [CompletionResultType]::ParameterName, 'Make no room before the first shard goes: each outage then includes what it takes to make a node')
            [CompletionResult]::new('--force-conflicts', '--force-conflicts', [CompletionResultType]::ParameterName, 'Go on although other controllers own what is changed, or change it themselves')
            [CompletionResult]::new('--allow-zero-grace-period', '--allow-zero-grace-period', [CompletionResultType]::ParameterName, 'Delete pods whose grace period is 0: two of them may write to one volume')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;drain' {
            [CompletionResult]::new('--workload', '--workload', [CompletionResultType]::ParameterName, 'The StatefulSet whose shards are moved; may be left out when the namespace has one')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How many shards go down together; left out: as the ShardSet file says, or one by one')
            [CompletionResult]::new('--wave-size', '--wave-size', [CompletionResultType]::ParameterName, 'One shard first, then so many at a time')
            [CompletionResult]::new('--order', '--order', [CompletionResultType]::ParameterName, 'In which order; shards that are down go first in any case')
            [CompletionResult]::new('--settle', '--settle', [CompletionResultType]::ParameterName, 'How long the whole service must have been up before the next wave')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time for a shard to come back')
            [CompletionResult]::new('--max-outage', '--max-outage', [CompletionResultType]::ParameterName, 'Start no wave whose outage is forecast to be longer')
            [CompletionResult]::new('--max-total-outage', '--max-total-outage', [CompletionResultType]::ParameterName, 'Start no wave with which all outages together are forecast to be longer')
            [CompletionResult]::new('--restart-seconds', '--restart-seconds', [CompletionResultType]::ParameterName, 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell')
            [CompletionResult]::new('--gate', '--gate', [CompletionResultType]::ParameterName, 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND')
            [CompletionResult]::new('--gate-successes', '--gate-successes', [CompletionResultType]::ParameterName, 'Good answers in a row that the gate takes')
            [CompletionResult]::new('--placeholder-image', '--placeholder-image', [CompletionResultType]::ParameterName, 'Image of the pods that keep places for shards; it does nothing and needs no shell')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'What to do when a shard does not come back')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and change nothing; server lets the API server check the template too')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--ignore-daemonsets', '--ignore-daemonsets', [CompletionResultType]::ParameterName, 'Leave pods of DaemonSets where they are')
            [CompletionResult]::new('--delete-emptydir-data', '--delete-emptydir-data', [CompletionResultType]::ParameterName, 'Evict pods that use emptyDir: what is in it is lost')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Evict pods that no controller makes anew')
            [CompletionResult]::new('--relax-pdb', '--relax-pdb', [CompletionResultType]::ParameterName, 'Relax the disruption budgets that forbid the evictions, and restore them after')
            [CompletionResult]::new('--no-prewarm', '--no-prewarm', [CompletionResultType]::ParameterName, 'Make no room before the first shard goes: each outage then includes what it takes to make a node')
            [CompletionResult]::new('--force-conflicts', '--force-conflicts', [CompletionResultType]::ParameterName, 'Go on although other controllers own what is changed, or change it themselves')
            [CompletionResult]::new('--allow-zero-grace-period', '--allow-zero-grace-period', [CompletionResultType]::ParameterName, 'Delete pods whose grace period is 0: two of them may write to one volume')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;rollout' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show which shards are up from the newest template, and what is left')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show the runs of a workload and the revisions of its template')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with a run that stopped part-way')
            [CompletionResult]::new('abort', 'abort', [CompletionResultType]::ParameterValue, 'Take back what a run that stopped part-way has changed, but for the shards that it moved')
            [CompletionResult]::new('undo', 'undo', [CompletionResultType]::ParameterValue, 'Give the shards an earlier template')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;rollout;status' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Print it again whenever it changes, until interrupted')
            [CompletionResult]::new('--no-health', '--no-health', [CompletionResultType]::ParameterName, 'Do not ask the shards for their health')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;rollout;history' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'Show the ledger of one run')
            [CompletionResult]::new('--revision', '--revision', [CompletionResultType]::ParameterName, 'Show what one revision of the template changed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;rollout;resume' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'Which run; left out: the one that is open')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;rollout;abort' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--run', '--run', [CompletionResultType]::ParameterName, 'Which run; left out: the one that is open')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Abort without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Abort without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;rollout;undo' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'The ShardSet file of the workload; - reads standard input')
            [CompletionResult]::new('--to-revision', '--to-revision', [CompletionResultType]::ParameterName, 'The revision to go back to, as `shardctl rollout history` numbers them')
            [CompletionResult]::new('--strategy', '--strategy', [CompletionResultType]::ParameterName, 'How many shards go down together; left out: as the ShardSet file says, or one by one')
            [CompletionResult]::new('--wave-size', '--wave-size', [CompletionResultType]::ParameterName, 'One shard first, then so many at a time')
            [CompletionResult]::new('--order', '--order', [CompletionResultType]::ParameterName, 'In which order; shards that are down go first in any case')
            [CompletionResult]::new('--settle', '--settle', [CompletionResultType]::ParameterName, 'How long the whole service must have been up before the next wave')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Longest time for a shard to come back')
            [CompletionResult]::new('--max-outage', '--max-outage', [CompletionResultType]::ParameterName, 'Start no wave whose outage is forecast to be longer')
            [CompletionResult]::new('--max-total-outage', '--max-total-outage', [CompletionResultType]::ParameterName, 'Start no wave with which all outages together are forecast to be longer')
            [CompletionResult]::new('--restart-seconds', '--restart-seconds', [CompletionResultType]::ParameterName, 'How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell')
            [CompletionResult]::new('--gate', '--gate', [CompletionResultType]::ParameterName, 'What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND')
            [CompletionResult]::new('--gate-successes', '--gate-successes', [CompletionResultType]::ParameterName, 'Good answers in a row that the gate takes')
            [CompletionResult]::new('--placeholder-image', '--placeholder-image', [CompletionResultType]::ParameterName, 'Image of the pods that keep places for shards; it does nothing and needs no shell')
            [CompletionResult]::new('--on-failure', '--on-failure', [CompletionResultType]::ParameterName, 'What to do when a shard does not come back')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and change nothing; server lets the API server check the template too')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'json: one event per line, and a summary at the end')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--no-prewarm', '--no-prewarm', [CompletionResultType]::ParameterName, 'Make no room before the first shard goes: each outage then includes what it takes to make a node')
            [CompletionResult]::new('--force-conflicts', '--force-conflicts', [CompletionResultType]::ParameterName, 'Go on although other controllers own what is changed, or change it themselves')
            [CompletionResult]::new('--allow-zero-grace-period', '--allow-zero-grace-period', [CompletionResultType]::ParameterName, 'Delete pods whose grace period is 0: two of them may write to one volume')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Go on without asking')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;rollout;help' {
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show which shards are up from the newest template, and what is left')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show the runs of a workload and the revisions of its template')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with a run that stopped part-way')
            [CompletionResult]::new('abort', 'abort', [CompletionResultType]::ParameterValue, 'Take back what a run that stopped part-way has changed, but for the shards that it moved')
            [CompletionResult]::new('undo', 'undo', [CompletionResultType]::ParameterValue, 'Give the shards an earlier template')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;rollout;help;status' {
            break
        }
        'shardctl;rollout;help;history' {
            break
        }
        'shardctl;rollout;help;resume' {
            break
        }
        'shardctl;rollout;help;abort' {
            break
        }
        'shardctl;rollout;help;undo' {
            break
        }
        'shardctl;rollout;help;help' {
            break
        }
        'shardctl;explain' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;options' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;version' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'Print the version of shardctl only, without asking the API server')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;completion' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Start a lab, or start again what has stopped in it')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Stop a lab and remove everything that belongs to it')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'List the labs on this machine and the state of their components')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the shell line that points kubectl and shardctl to a lab')
            [CompletionResult]::new('kubeconfig', 'kubeconfig', [CompletionResultType]::ParameterValue, 'Print the kubeconfig of a lab')
            [CompletionResult]::new('node', 'node', [CompletionResultType]::ParameterValue, 'Stop, start and disconnect the nodes of a lab of the real tier')
            [CompletionResult]::new('build', 'build', [CompletionResultType]::ParameterValue, 'Build the lab''s components from their pinned sources, once per version')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;lab;up' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--tier', '--tier', [CompletionResultType]::ParameterName, 'What its nodes are [default: kwok]')
            [CompletionResult]::new('--nodes', '--nodes', [CompletionResultType]::ParameterName, 'How many real nodes it has [default: 3]')
            [CompletionResult]::new('--node-launch', '--node-launch', [CompletionResultType]::ParameterName, 'Time that a machine takes to appear, in whole seconds [default: 12s]')
            [CompletionResult]::new('--pod-start', '--pod-start', [CompletionResultType]::ParameterName, 'Time that a pod takes to become ready [default: 2500ms]')
            [CompletionResult]::new('--sizes', '--sizes', [CompletionResultType]::ParameterName, 'Instance types in the JSON form of Karpenter''s KWOK provider, instead of Azure''s')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;down' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Stop and remove every lab on this machine')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;status' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only the lab of this name')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;env' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;kubeconfig' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;node' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Cut a node''s power, or kill one of its daemons')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a node that was stopped, or what was stopped on it')
            [CompletionResult]::new('cut', 'cut', [CompletionResultType]::ParameterValue, 'Disconnect a node from everybody, from another node, or from DNS')
            [CompletionResult]::new('mend', 'mend', [CompletionResultType]::ParameterValue, 'Connect a node again, or all nodes')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command on a node, as root')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;lab;node;stop' {
            [CompletionResult]::new('--only', '--only', [CompletionResultType]::ParameterName, 'Kill this daemon only; its containers run on and its rules hold')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;node;start' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;node;cut' {
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Only this TCP port of its pods')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--dns', '--dns', [CompletionResultType]::ParameterName, 'Only its pods, and only from DNS')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;node;mend' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;node;exec' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the lab')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;node;help' {
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Cut a node''s power, or kill one of its daemons')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a node that was stopped, or what was stopped on it')
            [CompletionResult]::new('cut', 'cut', [CompletionResultType]::ParameterValue, 'Disconnect a node from everybody, from another node, or from DNS')
            [CompletionResult]::new('mend', 'mend', [CompletionResultType]::ParameterValue, 'Connect a node again, or all nodes')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command on a node, as root')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;lab;node;help;stop' {
            break
        }
        'shardctl;lab;node;help;start' {
            break
        }
        'shardctl;lab;node;help;cut' {
            break
        }
        'shardctl;lab;node;help;mend' {
            break
        }
        'shardctl;lab;node;help;exec' {
            break
        }
        'shardctl;lab;node;help;help' {
            break
        }
        'shardctl;lab;build' {
            [CompletionResult]::new('--tier', '--tier', [CompletionResultType]::ParameterName, 'For labs with these nodes')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Name of the kubeconfig context to use')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the kubeconfig cluster to use')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Name of the kubeconfig user to use')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the workload, instead of the context''s')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'User to impersonate')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Group to impersonate, can be repeated')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Longest wait for one answer of the API server')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Verbosity of the log on standard error: 6 shows each request with its time')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shardctl;lab;help' {
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Start a lab, or start again what has stopped in it')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Stop a lab and remove everything that belongs to it')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'List the labs on this machine and the state of their components')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the shell line that points kubectl and shardctl to a lab')
            [CompletionResult]::new('kubeconfig', 'kubeconfig', [CompletionResultType]::ParameterValue, 'Print the kubeconfig of a lab')
            [CompletionResult]::new('node', 'node', [CompletionResultType]::ParameterValue, 'Stop, start and disconnect the nodes of a lab of the real tier')
            [CompletionResult]::new('build', 'build', [CompletionResultType]::ParameterValue, 'Build the lab''s components from their pinned sources, once per version')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;lab;help;up' {
            break
        }
        'shardctl;lab;help;down' {
            break
        }
        'shardctl;lab;help;status' {
            break
        }
        'shardctl;lab;help;env' {
            break
        }
        'shardctl;lab;help;kubeconfig' {
            break
        }
        'shardctl;lab;help;node' {
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Cut a node''s power, or kill one of its daemons')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a node that was stopped, or what was stopped on it')
            [CompletionResult]::new('cut', 'cut', [CompletionResultType]::ParameterValue, 'Disconnect a node from everybody, from another node, or from DNS')
            [CompletionResult]::new('mend', 'mend', [CompletionResultType]::ParameterValue, 'Connect a node again, or all nodes')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command on a node, as root')
            break
        }
        'shardctl;lab;help;node;stop' {
            break
        }
        'shardctl;lab;help;node;start' {
            break
        }
        'shardctl;lab;help;node;cut' {
            break
        }
        'shardctl;lab;help;node;mend' {
            break
        }
        'shardctl;lab;help;node;exec' {
            break
        }
        'shardctl;lab;help;build' {
            break
        }
        'shardctl;lab;help;help' {
            break
        }
        'shardctl;help' {
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a ShardSet file with comments')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Apply a ShardSet and wait until every shard is up')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete a service in the safe order, and keep its volumes')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Tell whether the service is whole, since when, and which shard is not')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check everything there is to check about a service')
            [CompletionResult]::new('packing', 'packing', [CompletionResultType]::ParameterValue, 'Show where shards sit, what room is free or stranded, and how few nodes would do')
            [CompletionResult]::new('plan', 'plan', [CompletionResultType]::ParameterValue, 'Rank the sizes of machine for a service by fit, price and expected outages')
            [CompletionResult]::new('costs', 'costs', [CompletionResultType]::ParameterValue, 'Show what nodes and disks cost, what of that is paid for nothing, and what it could be')
            [CompletionResult]::new('vpa-report', 'vpa-report', [CompletionResultType]::ParameterValue, 'Show what the VPA recommends, whether to believe it, and what it would change')
            [CompletionResult]::new('routing-test', 'routing-test', [CompletionResultType]::ParameterValue, 'Let every shard ask every other by its stable name, and the client service, and say what is wrong')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Move all shards to another node pool with the least outage')
            [CompletionResult]::new('upgrade', 'upgrade', [CompletionResultType]::ParameterValue, 'Roll a new template through the shards, gated and undoable')
            [CompletionResult]::new('drain', 'drain', [CompletionResultType]::ParameterValue, 'Empty a node without an outage that nobody approved')
            [CompletionResult]::new('rollout', 'rollout', [CompletionResultType]::ParameterValue, 'See, resume, abort and undo what migrate, upgrade and drain do')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain an exit code, or a check of verify')
            [CompletionResult]::new('options', 'options', [CompletionResultType]::ParameterValue, 'List the global options, which every command understands')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version of shardctl, and of the API server')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('lab', 'lab', [CompletionResultType]::ParameterValue, 'Run a real Kubernetes control plane with Karpenter on this machine')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shardctl;help;init' {
            break
        }
        'shardctl;help;deploy' {
            break
        }
        'shardctl;help;delete' {
            break
        }
        'shardctl;help;status' {
            break
        }
        'shardctl;help;verify' {
            break
        }
        'shardctl;help;packing' {
            break
        }
        'shardctl;help;plan' {
            break
        }
        'shardctl;help;costs' {
            break
        }
        'shardctl;help;vpa-report' {
            break
        }
        'shardctl;help;routing-test' {
            break
        }
        'shardctl;help;migrate' {
            break
        }
        'shardctl;help;upgrade' {
            break
        }
        'shardctl;help;drain' {
            break
        }
        'shardctl;help;rollout' {
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show which shards are up from the newest template, and what is left')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show the runs of a workload and the revisions of its template')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Go on with a run that stopped part-way')
            [CompletionResult]::new('abort', 'abort', [CompletionResultType]::ParameterValue, 'Take back what a run that stopped part-way has changed, but for the shards that it moved')
            [CompletionResult]::new('undo', 'undo', [CompletionResultType]::ParameterValue, 'Give the shards an earlier template')
            break
        }
        'shardctl;help;rollout;status' {
            break
        }
        'shardctl;help;rollout;history' {
            break
        }
        'shardctl;help;rollout;resume' {
            break
        }
        'shardctl;help;rollout;abort' {
            break
        }
        'shardctl;help;rollout;undo' {
            break
        }
        'shardctl;help;explain' {
            break
        }
        'shardctl;help;options' {
            break
        }
        'shardctl;help;version' {
            break
        }
        'shardctl;help;completion' {
            break
        }
        'shardctl;help;lab' {
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Start a lab, or start again what has stopped in it')
            [CompletionResult]::new('down', 'down', [CompletionResultType]::ParameterValue, 'Stop a lab and remove everything that belongs to it')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'List the labs on this machine and the state of their components')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the shell line that points kubectl and shardctl to a lab')
            [CompletionResult]::new('kubeconfig', 'kubeconfig', [CompletionResultType]::ParameterValue, 'Print the kubeconfig of a lab')
            [CompletionResult]::new('node', 'node', [CompletionResultType]::ParameterValue, 'Stop, start and disconnect the nodes of a lab of the real tier')
            [CompletionResult]::new('build', 'build', [CompletionResultType]::ParameterValue, 'Build the lab''s components from their pinned sources, once per version')
            break
        }
        'shardctl;help;lab;up' {
            break
        }
        'shardctl;help;lab;down' {
            break
        }
        'shardctl;help;lab;status' {
            break
        }
        'shardctl;help;lab;env' {
            break
        }
        'shardctl;help;lab;kubeconfig' {
            break
        }
        'shardctl;help;lab;node' {
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Cut a node''s power, or kill one of its daemons')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a node that was stopped, or what was stopped on it')
            [CompletionResult]::new('cut', 'cut', [CompletionResultType]::ParameterValue, 'Disconnect a node from everybody, from another node, or from DNS')
            [CompletionResult]::new('mend', 'mend', [CompletionResultType]::ParameterValue, 'Connect a node again, or all nodes')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command on a node, as root')
            break
        }
        'shardctl;help;lab;node;stop' {
            break
        }
        'shardctl;help;lab;node;start' {
            break
        }
        'shardctl;help;lab;node;cut' {
            break
        }
        'shardctl;help;lab;node;mend' {
            break
        }
        'shardctl;help;lab;node;exec' {
            break
        }
        'shardctl;help;lab;build' {
            break
        }
        'shardctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
