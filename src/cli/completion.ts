/** `nearwire completion`: prints a script with which a shell completes commands and options. */
import { BENCH_COMMANDS, findBenchPackage } from './bench-package.js';
import { command, type Command, type CommandOutline } from './command.js';
import { parseWord } from './usage.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function completionCommand(ownCommands: () => Promise<readonly Command[]>): Command {
  return command({
    name: 'completion',
    summary: 'print the completion script of a shell',
    operands: '<bash|zsh|fish>',
    fewestOperands: 1,
    mostOperands: 1,
    options: {},
    more: `bash: source <(nearwire completion bash)       in ~/.bashrc
zsh:  source <(nearwire completion zsh)        in ~/.zshrc, after compinit
fish: nearwire completion fish | source        in ~/.config/fish/config.fish`,
    async run(_given, [word = '']) {
      const shell = parseWord('shell', word, SHELLS);
      const measuring = (await findBenchPackage())?.outlines() ?? outlinesWithoutPackage();
      process.stdout.write(SCRIPTS[shell]([...(await ownCommands()), ...measuring]));
    },
  });
}

function outlinesWithoutPackage(): CommandOutline[] {
  return [...BENCH_COMMANDS].map(([name, summary]) => ({ name, summary, options: ['--help'] }));
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (commands: readonly CommandOutline[]) => string>> = {
  bash: (commands) => `_nearwire() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=
  if [[ $COMP_CWORD -eq 1 ]]; then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
  elif [[ $word == -* ]]; then
    case \${COMP_WORDS[1]} in
${commands.map(({ name, options }) => `      ${name}) words='${options.join(' ')}' ;;`).join('\n')}
    esac
  fi
  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  fi
}
complete -o default -F _nearwire nearwire
`,
  zsh: (commands) => `_nearwire() {
  local -a commands options
  commands=(${commands.map(({ name, summary }) => `'${name}:${quoted(summary)}'`).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  if [[ $PREFIX == -* ]]; then
    case $words[2] in
${commands.map(({ name, options }) => `      ${name}) options=(${options.join(' ')}) ;;`).join('\n')}
    esac
    compadd -- $options
    return
  fi
  _files
}
compdef _nearwire nearwire
`,
  fish: (commands) =>
    commands
      .flatMap(({ name, summary, options }) => [
        `complete -c nearwire -n __fish_use_subcommand -f -a ${name} -d '${quoted(summary)}'`,
        ...options.map(
          (option) => `complete -c nearwire -n '__fish_seen_subcommand_from ${name}' -l ${option.replace(/^--/, '')}`,
        ),
      ])
      .join('\n') + '\n',
};

/** For use inside single quotes. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
