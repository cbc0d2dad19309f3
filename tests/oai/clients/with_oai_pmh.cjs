// Harvest with npm's oai-pmh: node with_oai_pmh.cjs URL PREFIX [set=… from=… until=…]
// Prints an identifier and 1 (deleted) or 0 for each record.
const { OaiPmh } = require('oai-pmh')

const [url, metadataPrefix, ...more] = process.argv.slice(2)
const given = Object.fromEntries(more.map((one) => one.split(/=(.*)/s).slice(0, 2)))

async function main () {
  for await (const record of new OaiPmh(url).listRecords({ metadataPrefix, ...given })) {
    const { identifier, $ } = record.header
    const deleted = $ !== undefined && $.status === 'deleted'
    if (!deleted && !record.metadata) throw new Error(`no metadata in ${identifier}`)
    console.log(`${identifier}\t${deleted ? 1 : 0}`)
  }
}

main().catch((error) => { console.error(error); process.exit(1) })
