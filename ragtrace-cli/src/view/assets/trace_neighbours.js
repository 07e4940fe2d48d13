// Links to the traces before and after this one, as the list that led here has them, and to the run
// before of the same operation. They are asked for once the trace is there, which does not wait.

const LINKS = [
  ["trace-newer", "newer", (id, from) => `/trace/${id}${from}`],
  ["trace-older", "older", (id, from) => `/trace/${id}${from}`],
  ["compare-previous", "run_before", (id, _, own) => `/compare?a=${id}&b=${own}`],
];

export async function findNeighbours(address, list) {
  const from = list ? `?from=${encodeURIComponent(list)}` : "";
  try {
    const answer = await fetch(`${address}/neighbours.json${from}`);
    if (!answer.ok) return;
    const found = await answer.json();
    for (const [id, member, href] of LINKS) {
      const link = document.getElementById(id);
      if (!link || !found[member]) continue;
      link.href = href(found[member], from, address.split("/").pop());
      link.removeAttribute("aria-disabled");
    }
  } catch {
    // The links stay as they are: there is nowhere to go.
  }
}
