// Page that consists of sections only.

const lookAt = null; // no gallery
$('sections').append(...sectionNodes(sections));
