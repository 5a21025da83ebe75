// A page of sections alone.

const lookAt = null; // there is no gallery in which an image could be shown
$('sections').append(...sectionNodes(sections));
