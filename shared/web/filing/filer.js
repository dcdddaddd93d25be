// Who files here: owner ('' is the resident on his own phone), the communities to choose from, whether this is
// an office, whether it is a community's own machine, the name of the place. Set by the program's start.
import { reactive } from 'vue'

export const filer = reactive({ owner: '', communities: [], office: false, node: false, name: '' })
