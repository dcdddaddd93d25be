// Items of the catalogue for the benchmarks.

/** One that a community decides and that needs no papers from the applicant. */
export async function plainItem(client) {
  for (const i of (await client.get('/items')).items) {
    const whole = await client.get('/items/' + i.code)
    if (whole.materials.every(m => m.obtain_by === 'shared_data' || m.obtain_by === 'commitment' || m.necessity !== 'required') && whole.decided_at.includes('community'))
      return whole
  }
  throw new Error('no item can be filed without papers')
}
