"""``domain-translation completion``: a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "fish")


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parser: argparse.ArgumentParser
) -> None:
    """Add the command to `parser`, whose commands and options it will know."""
    completion = commands.add_parser(
        "completion",
        help="complete commands and options in a shell",
        description="Print a script that completes commands, options and file names.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""\
examples:
  domain-translation completion bash > ~/.local/share/bash-completion/completions/domain-translation
  domain-translation completion zsh > "${fpath[1]}/_domain-translation"
  domain-translation completion fish > ~/.config/fish/completions/domain-translation.fish
""",
    )
    completion.add_argument("shell", choices=SHELLS)

    def run(options: argparse.Namespace) -> int:
        print(script(parser, options.shell), end="")
        return 0

    completion.set_defaults(run=run)


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for one of `SHELLS`; where no command or option fits, files are completed."""
    write = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    return write(parser.prog, _words(parser))


def _words(parser: argparse.ArgumentParser) -> dict[str, dict[str, str]]:
    """Commands and options with their helps, under ""; the options of each command, under it."""
    found = {"": _options(parser)}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {choice.dest: choice.help or "" for choice in action._get_subactions()}
            found[""] |= {command: told.get(command, "") for command in action.choices}
            found |= {command: _options(below) for command, below in action.choices.items()}
    return found


def _options(parser: argparse.ArgumentParser) -> dict[str, str]:
    return {
        option: action.help or ""
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    }


def _cases(words: dict[str, dict[str, str]], line: str) -> str:
    """A line of a shell's `case` for every command."""
    return "".join(
        f"        {command}) {line.format(' '.join(options))} ;;\n"
        for command, options in words.items()
        if command
    )


def _bash(name: str, words: dict[str, dict[str, str]]) -> str:
    function = "_" + name.replace("-", "_")
    return f"""\
{function}() {{
    local words="" current="${{COMP_WORDS[COMP_CWORD]}}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{" ".join(words[""])}"
    elif [[ "$current" == -* ]]; then
        case "${{COMP_WORDS[1]}}" in
{_cases(words, 'words="{}"')}        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F {function} {name}
"""


def _zsh(name: str, words: dict[str, dict[str, str]]) -> str:
    return f"""\
#compdef {name}
if (( CURRENT == 2 )); then
    compadd -- {" ".join(words[""])}
elif [[ "$PREFIX" == -* ]]; then
    case "${{words[2]}}" in
{_cases(words, "compadd -- {}")}    esac
else
    _files
fi
"""


def _fish(name: str, words: dict[str, dict[str, str]]) -> str:
    lines = []
    for command, options in words.items():
        when = f"__fish_seen_subcommand_from {command}" if command else "__fish_use_subcommand"
        for word, text in options.items():
            kind = f"-l {word.removeprefix('--')}" if word.startswith("--") else f"-a {word}"
            told = text.replace("\\", "").replace("'", "\\'").replace("%(prog)s", name)
            lines.append(f"complete -c {name} -n '{when}' {kind} -d '{told}'")
    return "\n".join(lines) + "\n"
