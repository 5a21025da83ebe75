// Stains slides with Nextflow: one process for each part of the slides, then a check that all slides are there.
// Usage: nextflow run main.nf --model MODEL --slides SLIDES --output OUTPUT --parts 8
// The output folder is on a file system that all processes share; slides that are finished there are skipped.
nextflow.enable.dsl = 2

params.model = null
params.slides = null
params.output = null
params.parts = 8

process STAIN {
    tag "${part} of ${parts}"
    cpus 8
    memory '8 GB'
    time '12 h'
    errorStrategy 'retry'
    maxRetries 2

    input:
    tuple val(part), val(parts)

    output:
    val part

    script:
    """
    tinctor stain '${params.model}' '${params.slides}' --output '${params.output}' --shard ${part}/${parts} --threads ${task.cpus}
    """
}

process STATUS {
    cpus 1
    memory '1 GB'

    input:
    val finished

    output:
    path 'status.json'

    script:
    """
    tinctor stain --status '${params.output}' --json > status.json
    """
}

workflow {
    for (name in ['model', 'slides', 'output']) {
        if (params[name] == null) error "--${name} is missing. Usage: nextflow run main.nf --model MODEL --slides SLIDES --output OUTPUT"
    }
    parts = Channel.of(1..params.parts).map { part -> tuple(part, params.parts) }
    STAIN(parts)
    STATUS(STAIN.out.collect())
}
