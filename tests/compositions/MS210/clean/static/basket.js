export async function load(id) {
    const answer = await fetch(`${prefix}/basket/${id}`);
    return answer.json();
}
