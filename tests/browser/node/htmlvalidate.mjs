// What html-validate asks of every page: what the HTML standard says, that a document is whole, and its rules of
// accessibility; its rules of style are left to djlint. Each change has its reason.
export default {
  root: true,
  extends: ["html-validate:standard", "html-validate:document", "html-validate:a11y"],
  rules: {
    // The summary of what is wrong stands before the page's own heading, as the NHS and GOV.UK do it.
    "heading-level": ["error", { minInitialRank: "h2" }],
    // A button in a form submits it unless it says otherwise: the standard's default, and the one that is meant.
    "no-implicit-button-type": "off",
    // Style sheets and scripts come from the page's own host; a file of another host would have to be held to a hash.
    "require-sri": ["error", { target: "crossorigin" }],
  },
};
