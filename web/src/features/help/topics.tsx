import { Help } from '~/ui/Help';

/** The few ideas that everything here rests on, explained where they are met. */

export function LabelHelp() {
  return (
    <Help question="What is a label?">
      <p>A name for one version of a prompt. Programs ask for the label, not for a number.</p>
      <p>
        Publishing moves <code>production</code> to a newer version; rolling back moves it to an older one. The versions
        themselves never change.
      </p>
    </Help>
  );
}

export function VariableHelp() {
  return (
    <Help question="What is a variable?">
      <p>
        A place that is filled in when the prompt is fetched: <code>{'{{ name }}'}</code> in the text becomes “Ana” when a
        program sends <code>name=Ana</code>.
      </p>
      <p>Describe it here to say whether it is needed, of what kind it is, and what to use when nobody sends it. The sample is only for the preview.</p>
    </Help>
  );
}

export function KeyHelp() {
  return (
    <Help question="Which key does a program need?">
      <p>Most only fetch what is live: give them “Fetch prompts”. What a key may not do cannot go wrong with it.</p>
      <p>When somebody may have seen a key, rotate it. The old one goes on working for as long as you say.</p>
    </Help>
  );
}
