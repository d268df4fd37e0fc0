"""Get a prompt, fill it in, print it; with --watch, print it again whenever it is published.

    XR2_URL=http://localhost:8000 XR2_API_KEY=xr2_… python quickstart.py welcome-message name=Ada --watch

Edit the prompt in the dashboard and press Publish: the text appears here, without a restart.
"""

from __future__ import annotations

import argparse
import sys

from xr2 import Prompt, RenderError, Xr2, Xr2Error


def main() -> int:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slug", nargs="?", default="welcome-message", help="which prompt")
    parser.add_argument("values", nargs="*", metavar="name=value", help="values for its variables")
    parser.add_argument("--label", default="production", help="which label to follow")
    parser.add_argument("--watch", action="store_true", help="stay and print every change")
    options = parser.parse_args()
    values = dict(value.partition("=")[::2] for value in options.values)
    try:
        with Xr2(label=options.label) as client:
            if not options.watch:
                show(client.get(options.slug), values)
                return 0
            for prompt in client.watch(options.slug):
                show(prompt, values)
    except KeyboardInterrupt:
        return 0
    except Xr2Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def show(prompt: Prompt, values: dict[str, str]) -> None:
    """Print one version of the prompt, or what is wrong with the values for it."""
    try:
        text = str(prompt.render(values))
    except RenderError as error:
        text = f"{error}"
    print(f"[v{prompt.version} from {prompt.source}] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
